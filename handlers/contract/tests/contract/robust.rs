//! Any text is answered, and what is right is read back as it was meant.

use proptest::prelude::*;
use sluice_contract::{Contract, DataType, Format, Pipeline, Plan};

use crate::documents::{contract, pipeline, plan};

/// Pieces from which broken documents are put together.
const PIECES: &[&str] = &[
    "apiVersion: v3.1.0\n",
    "kind: DataContract\n",
    "schema:\n",
    "  - name: t\n",
    "    properties:\n",
    "      - name: a\n",
    "        logicalType: ",
    "string\n",
    "tasks:\n",
    "  - derive: ",
    "{a: $x}\n",
    "quality: ",
    "[",
    "]",
    "{",
    "}",
    "&x ",
    "*x",
    "<<: ",
    "!!str ",
    "- ",
    ": ",
    "\n",
    "  ",
    "\t",
    "'",
    "\"",
    "|\n",
    "# ",
    "0",
    "é",
    "\u{feff}",
    "---\n",
    "%YAML 1.2\n",
    "? ",
];

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for text in [text, String::from_utf8_lossy(&bytes).into_owned()] {
            let _answer = Contract::parse("c", &text);
            let _answer = Pipeline::parse("p", &text);
        }
    }

    #[test]
    fn any_pieces_are_answered(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        let _answer = Contract::parse("c", &text);
        let _answer = plan(&text, &text);
    }

    #[test]
    fn a_damaged_pipeline_is_answered_and_its_mistakes_have_lines(
        at in any::<proptest::sample::Index>(),
        with in proptest::sample::select(PIECES),
        cut in 0usize..12,
    ) {
        let text = pipeline("tasks:\n  - derive: { x: \"a + 1\" }\n  - deduplicate: { by: [a] }\nreview: { approvers: 2, dueWithin: P2D }\n");
        let at = at.index(text.len());
        let damaged = format!("{}{with}{}", &text[..at], &text[(at + cut).min(text.len())..]);
        if let Err(mistakes) = Pipeline::parse("p", &damaged) {
            prop_assert!(!mistakes.0.is_empty());
            let lines = damaged.lines().count() + 1;
            for mistake in &mistakes.0 {
                prop_assert!(mistake.line <= lines, "{mistake}");
                prop_assert!(mistake.line > 0 || mistake.code.starts_with('S'), "{mistake}");
            }
        }
    }

    #[test]
    fn a_written_dialect_is_read_back(
        delimiter in proptest::sample::select(vec![",", ";", "|", "\t", "~|~"]),
        null_values in proptest::collection::vec("[ -~]{0,6}", 0..4),
        skip_lines in 0u32..=1000,
        trim in any::<bool>(),
    ) {
        let json = serde_json::json!({"csv": {"delimiter": delimiter, "nullValues": null_values, "skipLines": skip_lines, "trim": trim}});
        // JSON is YAML.
        let text = pipeline("").replace("format: csv", &format!("format: {json}"));
        let read = Pipeline::parse("p", &text).map_err(|m| TestCaseError::fail(m.to_string()))?;
        let Format::Csv(csv) = read.intake.format else { return Err(TestCaseError::fail("not CSV")) };
        prop_assert_eq!((csv.delimiter.as_str(), csv.null_values, csv.skip_lines, csv.trim), (delimiter, null_values, skip_lines, trim));
    }

    #[test]
    fn a_written_decimal_is_read_back(precision in 1u8..=38, scale in 0i8..=38) {
        let text = contract(&format!("      - {{name: a, logicalType: number, physicalType: \"decimal({precision}, {scale})\"}}\n"));
        let read = Contract::parse("c", &text).ok().map(|c| c.columns[0].data_type);
        let expected = (scale <= precision as i8).then_some(DataType::Decimal { precision, scale });
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn an_expression_is_kept_as_it_is_written(sql in "[a-z0-9 <>=+'\"-]{1,40}") {
        let quoted = serde_json::to_string(&sql).unwrap();
        let text = pipeline(&format!("tasks:\n  - filter: {quoted}\n"));
        if let Ok(read) = Pipeline::parse("p", &text) {
            let [sluice_contract::Task::Filter(filter)] = read.tasks.as_slice() else { return Err(TestCaseError::fail("one filter")) };
            prop_assert_eq!(&filter.sql, &sql);
            prop_assert_eq!((filter.line, filter.column, filter.path.as_str()), (11, 13, "tasks[0].filter"));
        }
    }

    #[test]
    fn a_plan_survives_its_storage(approvers in 1u8..=2, percent in 0u32..=100) {
        let text = pipeline(&format!("review: {{approvers: {approvers}}}\nlimits: {{rejectedPercent: {percent}}}\ntasks:\n  - filter: a > 1\n"));
        let before = plan(&text, &contract(crate::documents::COLUMNS)).map_err(|m| TestCaseError::fail(m.to_string()))?;
        let stored = serde_json::to_string(&before).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), before);
    }
}
