//! What every implementation of [`crate::Lake`] and [`crate::Catalog`] must do: the same checks run on the doubles and on Azure's own.
//! Each check panics with what was expected and what was found.

mod catalog;
mod lake;

pub use catalog::catalog;
pub use lake::{lake, lake_pages};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::memory::{Faults, ManualClock, MemoryCatalog, MemoryLake};

    #[tokio::test]
    async fn the_lake_in_memory_conforms() {
        let memory = MemoryLake::new(Arc::new(ManualClock::default()), Arc::new(Faults::default()));
        super::lake(&memory, "one").await;
        super::lake(&memory, "two").await;
        super::lake_pages(&memory, "pages").await;
    }

    #[tokio::test]
    async fn the_catalog_in_memory_conforms() {
        let memory = MemoryCatalog::new(Arc::new(Faults::default()));
        super::catalog(&memory, "one").await;
        super::catalog(&memory, "two").await;
    }
}
