mod alerts;
mod due;
mod files;
mod for_state;
mod slo;
