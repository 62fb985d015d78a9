//! A partner tries the beginning of a file before it is sent.

use std::io::Write as _;

use bytes::Bytes;

use super::sample::{CONTRACT, Mix, csv, pipeline, world};
use crate::{
    harness::World,
    pipelines::{self, FileDryRun},
};

async fn tried(world: &World, path: &str, bytes: &[u8], size: usize) -> FileDryRun {
    let before = (world.catalog.contents(), world.lake.contents().len());
    let found = pipelines::dry_run_file(&world.context, "acme", path, Bytes::copy_from_slice(bytes), size as u64).await;
    assert_eq!((world.catalog.contents(), world.lake.contents().len()), before, "nothing is stored");
    found.unwrap_or_else(|error| panic!("{}", error.chain()))
}

fn rows(tried: &FileDryRun) -> (u64, bool) {
    let totals = tried.found.tally.totals;
    assert_eq!(totals.rows, totals.accepted + totals.rejected + totals.held + totals.filtered + totals.duplicate);
    (totals.rows, tried.found.truncated)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn utf16(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(text.to_vec()).expect("text");
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[tokio::test]
async fn a_file_is_cut_after_its_last_whole_record_wherever_the_sample_ends() {
    let world = world().await;
    // Each record has a line break within quotes.
    let file = csv(40, 12, Mix::ALL);
    let whole = tried(&world, "orders/a.csv", &file, file.len()).await;
    assert_eq!((rows(&whole), whole.pipeline.as_str(), whole.version), ((40, false), "orders", 1));
    let header = "id,region,amount,note\n".len();
    for end in header..file.len() {
        let part = tried(&world, "orders/a.csv", &file[..end], file.len()).await;
        let text = std::str::from_utf8(&file[..end]).expect("text");
        // A record ends with the quote of its note and a line break.
        assert_eq!(rows(&part), (text.matches("\"\n").count() as u64, true), "cut at {end}");
        let unclosed = part.found.tally.problems.iter().any(|p| p.code == sluice_engine::Code::UnclosedQuote);
        assert!(!unclosed && part.found.refusals.iter().all(|r| r.code == sluice_engine::Code::TooManyRejected), "cut at {end}");
    }
    let headless = tried(&world, "orders/a.csv", &file[..header - 3], file.len()).await;
    assert_eq!(headless.found.refusals.len(), 1, "{headless:?}");
}

#[tokio::test]
async fn compressed_and_wide_files_are_opened_as_far_as_they_go() {
    let world = world().await;
    world.put_pipeline(&pipeline("wide", "wide/*", "{ csv: { encoding: utf-16 } }"), CONTRACT).await;
    let file = csv(12_000, 40, Mix::ALL);
    let zstd = zstd::encode_all(file.as_slice(), 1).expect("in memory");
    for (path, packed) in
        [("orders/a.csv.gz", gzip(&file)), ("orders/a.csv.zst", zstd), ("wide/a.csv", utf16(&file)), ("wide/a.csv.gz", gzip(&utf16(&file)))]
    {
        assert_eq!(rows(&tried(&world, path, &packed, packed.len()).await), (12_000, false), "{path}");
        let (count, truncated) = rows(&tried(&world, path, &packed[..packed.len() * 2 / 3], packed.len()).await);
        assert!(truncated && (1..12_000).contains(&count), "{path}: {count}");
    }
    let cut = gzip(&file);
    let broken = tried(&world, "orders/a.csv.gz", &cut[..cut.len() - 9], cut.len() - 9).await;
    assert_eq!(broken.found.refusals[0].code, sluice_engine::Code::TruncatedCompression, "all of a file that ends too early");
}

#[tokio::test]
async fn a_part_of_a_parquet_file_and_an_untaken_path_are_refused() {
    let world = world().await;
    world.put_pipeline(&pipeline("tables", "tables/*", "parquet"), CONTRACT).await;
    let refused = async |partner: &str, path: &str| {
        let sample = Bytes::from_static(b"PAR1 and so on");
        let error = pipelines::dry_run_file(&world.context, partner, path, sample, 5_000).await.expect_err("refused");
        (error.code(), error.message().to_owned())
    };
    let (code, message) = refused("acme", "tables/a.parquet").await;
    assert!(code == "A0016" && message.contains("14 of its 5000 bytes"), "{message}");
    assert_eq!(refused("nobody", "orders/a.csv").await.0, "A0001");
    let (code, message) = refused("acme", "ordres/a.csv").await;
    assert!(code == "A0002" && message.contains("orders/*"), "{message}");
}
