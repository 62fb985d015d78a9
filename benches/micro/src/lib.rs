//! Micro benchmarks of the engine: see `benches/engine.rs`.
