mod alerts;
mod files;
mod for_state;
mod slo;
