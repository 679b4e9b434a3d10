mod alerts;
mod files;
mod slo;
