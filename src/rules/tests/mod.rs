mod alerts;
mod files;
