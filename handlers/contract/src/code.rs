//! The stable codes of mistakes: one list, which docs/ERRORS.md explains row by row.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A stable code. A code is never given a second meaning and never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as people see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The text is larger than a configuration file may be.
    TooLarge = "S0001",
    /// The text is not YAML.
    Syntax = "S0002",
    /// The text holds no document.
    NoDocument = "S0003",
    /// The text holds more than one document.
    ManyDocuments = "S0004",
    /// Lists and maps are nested too deep.
    TooDeep = "S0005",
    /// A map has the same key twice.
    DuplicateKey = "S0006",
    /// A YAML tag that has no meaning here.
    Tag = "S0007",
    /// Aliases expand to too many values.
    TooManyNodes = "S0008",
    /// A map's key is not plain text.
    KeyNotText = "S0009",

    /// A key that ODCS does not have.
    ContractUnknownKey = "C0001",
    /// A key that must be there.
    ContractMissingKey = "C0002",
    /// A value of the wrong kind.
    ContractKind = "C0003",
    /// A word that is not one of those allowed.
    ContractChoice = "C0004",
    /// A version of the standard that is not supported.
    ContractApiVersion = "C0005",
    /// Not exactly one table.
    ContractOneTable = "C0006",
    /// A table without columns.
    ContractNoColumns = "C0007",
    /// A promise that nothing would enforce.
    ContractUnenforced = "C0008",
    /// Two columns of one name.
    ColumnTwice = "C0101",
    /// Two columns read the same field of the file.
    SourceTwice = "C0102",
    /// A name that a table in the lake cannot have.
    ColumnName = "C0103",
    /// A column without a type.
    ColumnNoType = "C0104",
    /// A physical type that is unknown or does not fit the logical type.
    PhysicalType = "C0105",
    /// Digits of a decimal out of bounds.
    DecimalDigits = "C0106",
    /// An option that the column's type does not have.
    OptionForType = "C0107",
    /// A bound that is no value of the column's type.
    BoundValue = "C0108",
    /// No value can lie between the bounds.
    BoundsEmpty = "C0109",
    /// A regular expression that does not compile.
    Pattern = "C0110",
    /// A format that is unknown.
    FormatName = "C0111",
    /// A primary key position that is wrong.
    KeyPosition = "C0112",
    /// Not exactly one `mustBe...` operator.
    QualityOperator = "C0201",
    /// A metric that cannot be measured there.
    QualityMetric = "C0202",
    /// A metric's argument is missing or wrong.
    QualityArgument = "C0203",
    /// An operator's value can never hold, or is no number.
    QualityBound = "C0204",
    /// A quality rule names a column that is not there.
    QualityColumn = "C0205",

    /// A key that a pipeline does not have.
    PipelineUnknownKey = "P0001",
    /// A key that must be there.
    PipelineMissingKey = "P0002",
    /// A value of the wrong kind.
    PipelineKind = "P0003",
    /// A word that is not one of those allowed.
    PipelineChoice = "P0004",
    /// A number out of its range.
    PipelineRange = "P0005",
    /// The name of a pipeline, partner or table breaks the naming rule.
    PipelineName = "P0101",
    /// The contract is not a plain file name.
    ContractFile = "P0102",
    /// The path glob is wrong.
    PathGlob = "P0103",
    /// Not exactly one format.
    OneFormat = "P0104",
    /// A separator or quote of the wrong shape.
    CsvCharacter = "P0105",
    /// Two parts of the dialect contradict each other.
    CsvClash = "P0106",
    /// Compression around a format that has its own.
    CompressedParquet = "P0107",
    /// A regular expression for lines that does not compile, or matches every line.
    LinePattern = "P0108",
    /// A parameter's name breaks the naming rule.
    ParameterName = "P0201",
    /// A parameter's value does not fit its type.
    ParameterValue = "P0202",
    /// A parameter is used but not declared.
    ParameterUndeclared = "P0203",
    /// A parameter is declared but never used.
    ParameterUnused = "P0204",
    /// A value is given for a parameter that the pipeline does not declare.
    ParameterUnknown = "P0205",
    /// A task is not exactly one operation.
    TaskOneOperation = "P0301",
    /// A column that is not there at this point.
    ColumnUnknown = "P0302",
    /// A row-wise task after a run-wide one.
    TaskOrder = "P0303",
    /// A column would exist twice.
    ColumnClash = "P0304",
    /// A list or map that must hold something.
    TaskEmpty = "P0305",
    /// A type that cannot be cast to.
    CastType = "P0306",
    /// A new column's name that a table in the lake cannot have.
    NewColumnName = "P0307",
    /// An expression that is empty or not closed.
    ExpressionText = "P0308",
    /// A mask whose options do not fit its method.
    MaskOptions = "P0309",
    /// Two rules of one name.
    RuleTwice = "P0401",
    /// A rule's text names something that is not there.
    RuleText = "P0402",
    /// A duration that is not ISO 8601 or out of bounds.
    Duration = "P0501",
    /// Nothing would be left beside the partition columns.
    PartitionAll = "P0502",
}
