//! What is written is what a reader of the Parquet library reads.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::tests::support::batches;
use crate::write::accepted::AcceptedWriter;

/// A batch with a column of each kind, made of the same numbers.
fn batch(numbers: &[Option<i64>]) -> RecordBatch {
    let each = || numbers.iter().copied();
    let digits = |limit: i128| each().map(move |n| n.map(|n| i128::from(n) % limit));
    let decimal = |values: Decimal128Array, precision, scale| -> ArrayRef {
        Arc::new(values.with_precision_and_scale(precision, scale).expect("a known type"))
    };
    let text = |n: i64| "é".repeat(n.rem_euclid(90) as usize) + &n.to_string();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("tiny", Arc::new(each().map(|n| n.map(|n| n as i8)).collect::<Int8Array>()), true),
        ("int", Arc::new(each().map(|n| n.map(|n| n as i32)).collect::<Int32Array>()), true),
        ("long", Arc::new(each().collect::<Int64Array>()), true),
        ("dense", Arc::new((0..numbers.len() as i64).collect::<Int64Array>()), true),
        ("day", Arc::new(each().map(|n| n.map(|n| n as i32 % 10_000)).collect::<Date32Array>()), true),
        ("instant", Arc::new(each().collect::<TimestampMicrosecondArray>()), true),
        ("price", decimal(digits(1_000_000_000_000_000).collect(), 15, 2), true),
        ("medium", decimal(digits(100_000_000_000_000_000_000).collect(), 20, 0), true),
        ("wide", decimal(each().map(|n| n.map(|n| i128::from(n) * 1_000_000_007)).collect(), 38, 4), true),
        ("flag", Arc::new(each().map(|n| n.map(|n| n % 2 == 0)).collect::<BooleanArray>()), true),
        ("float", Arc::new(each().map(|n| n.map(|n| n as f64)).collect::<Float64Array>()), true),
        (
            "word",
            Arc::new(
                each().map(|n| n.map(|n| ["", "a", "REG AIR", "DELIVER IN PERSON"][n.rem_euclid(4) as usize])).collect::<StringArray>(),
            ),
            true,
        ),
        ("text", Arc::new(each().map(|n| n.map(text)).collect::<StringArray>()), true),
        ("same", Arc::new(StringArray::from(vec!["run"; numbers.len()])), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

fn check(parts: &[RecordBatch]) {
    let schema = parts[0].schema();
    let mut writer = AcceptedWriter::new(Arc::clone(&schema), &[]).expect("a writer");
    for part in parts {
        writer.write(part).expect("written");
    }
    let (pieces, files) = writer.finish().expect("closed");
    let bytes: Vec<u8> = pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let read = concat_batches(&schema, &batches(bytes)).expect("one schema");
    let written = concat_batches(&schema, parts).expect("one schema");
    assert_eq!(read, written);
    assert!(files.iter().all(|f| f.rows == written.num_rows() as u64));
}

fn numbers() -> impl Strategy<Value = Vec<Option<i64>>> {
    let number = prop_oneof![Just(None), (0_i64..50).prop_map(Some), (-70_000_i64..70_000).prop_map(Some), any::<i64>().prop_map(Some)];
    let alike = prop_oneof![vec((-20_i64..20).prop_map(Some), 1..400), vec((0_i64..1 << 40).prop_map(Some), 1..400)];
    prop_oneof![vec(number, 1..400), alike, Just(vec![None; 9]), Just(vec![Some(i64::MIN), Some(i64::MAX), Some(0)])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_value_comes_back(first in numbers(), second in numbers(), cut in any::<prop::sample::Index>()) {
        let second = batch(&second);
        let at = cut.index(second.num_rows());
        // Also parts of a batch, as the writer gets them where rows are left out.
        let rest = second.slice(at, second.num_rows() - at);
        check(&[batch(&first), second.slice(0, at), rest].into_iter().filter(|b| b.num_rows() > 0).collect::<Vec<_>>());
    }
}

#[test]
fn what_zstd_does_not_shrink_is_stored_as_it_is() {
    use parquet::basic::Compression;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    let noise = |n: i64| {
        let n = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((n ^ n >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20) as i64
    };
    let texts = (0..5000_i64).map(|n| format!("{:016x} and the same words once more", noise(n)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("noise", Arc::new((0..5000).map(noise).collect::<Int64Array>())),
        ("dense", Arc::new((0..5000_i64).collect::<Int64Array>())),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = AcceptedWriter::new(batch.schema(), &[]).expect("a writer");
    writer.write(&batch).expect("written");
    let bytes: Vec<u8> = writer.finish().expect("closed").0.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).expect("Parquet");
    let group = reader.metadata().row_group(0);
    let is_stored = |column: usize| group.column(column).compression() == Compression::UNCOMPRESSED;
    assert_eq!((0..3).map(is_stored).collect::<Vec<_>>(), [true, false, false]);
    let read = concat_batches(&batch.schema(), &batches(bytes)).expect("one schema");
    assert_eq!(read, batch);
}

#[test]
fn many_pages_come_back() {
    let many: Vec<Option<i64>> = (0..150_000).map(|n: i64| (n % 11 != 3).then_some(n.wrapping_mul(0x9e37_79b9) >> 7)).collect();
    check(&[batch(&many)]);
}
