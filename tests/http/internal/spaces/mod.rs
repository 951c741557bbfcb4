mod active_space;
mod content_summary;
