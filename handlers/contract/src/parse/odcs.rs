//! The keys of ODCS v3.1 that Sluice does not use: checked for typing errors, otherwise left alone.
//!
//! Source: the JSON schema of the Open Data Contract Standard, v3.1.0.

use crate::reader::Cursor;

/// What may stand at a key.
pub(crate) enum Shape {
    Any,
    Text,
    Number,
    Boolean,
    List(&'static Self),
    Map(&'static [(&'static str, Self)]),
}

use Shape::{Any, Boolean, List, Map, Number, Text};

const TAGS: Shape = List(&Text);
const CUSTOM_PROPERTIES: Shape = List(&Map(&[("id", Text), ("property", Text), ("value", Any), ("description", Text), ("vendor", Text)]));
const DEFINITIONS: Shape = List(&Map(&[("id", Text), ("url", Text), ("type", Text), ("description", Text)]));
const RELATIONSHIPS: Shape =
    List(&Map(&[("id", Text), ("type", Text), ("from", Any), ("to", Any), ("customProperties", CUSTOM_PROPERTIES)]));
const ROLES: Shape = List(&Map(&[
    ("id", Text),
    ("role", Text),
    ("description", Text),
    ("access", Text),
    ("firstLevelApprovers", Text),
    ("secondLevelApprovers", Text),
    ("customProperties", CUSTOM_PROPERTIES),
]));
const MEMBERS: Shape = List(&Map(&[
    ("id", Text),
    ("username", Text),
    ("name", Text),
    ("description", Text),
    ("role", Text),
    ("dateIn", Text),
    ("dateOut", Text),
    ("replacedByUsername", Text),
    ("tags", TAGS),
    ("customProperties", CUSTOM_PROPERTIES),
    ("authoritativeDefinitions", DEFINITIONS),
]));
const TEAM: Shape = Map(&[
    ("id", Text),
    ("name", Text),
    ("description", Text),
    ("members", MEMBERS),
    ("tags", TAGS),
    ("customProperties", CUSTOM_PROPERTIES),
    ("authoritativeDefinitions", DEFINITIONS),
]);
/// All kinds of server together.
const SERVERS: Shape = List(&Map(&[
    ("id", Text),
    ("server", Text),
    ("type", Text),
    ("description", Text),
    ("environment", Text),
    ("roles", ROLES),
    ("customProperties", CUSTOM_PROPERTIES),
    ("account", Any),
    ("catalog", Any),
    ("database", Any),
    ("dataset", Any),
    ("delimiter", Any),
    ("endpointUrl", Any),
    ("format", Any),
    ("host", Any),
    ("location", Any),
    ("path", Any),
    ("port", Any),
    ("project", Any),
    ("region", Any),
    ("regionName", Any),
    ("schema", Any),
    ("serviceName", Any),
    ("stagingDir", Any),
    ("stream", Any),
    ("warehouse", Any),
]));

/// Keys of the document that are not used.
pub(crate) const DOCUMENT: &[(&str, Shape)] = &[
    ("name", Text),
    ("tenant", Text),
    ("tags", TAGS),
    ("servers", SERVERS),
    ("dataProduct", Text),
    (
        "description",
        Map(&[
            ("usage", Text),
            ("purpose", Text),
            ("limitations", Text),
            ("authoritativeDefinitions", DEFINITIONS),
            ("customProperties", CUSTOM_PROPERTIES),
        ]),
    ),
    ("domain", Text),
    (
        "support",
        List(&Map(&[
            ("id", Text),
            ("channel", Text),
            ("url", Text),
            ("description", Text),
            ("tool", Text),
            ("scope", Text),
            ("invitationUrl", Text),
            ("customProperties", CUSTOM_PROPERTIES),
        ])),
    ),
    ("price", Map(&[("id", Text), ("priceAmount", Number), ("priceCurrency", Text), ("priceUnit", Text)])),
    ("roles", ROLES),
    ("slaDefaultElement", Text),
    (
        "slaProperties",
        List(&Map(&[
            ("id", Text),
            ("property", Text),
            ("value", Any),
            ("valueExt", Any),
            ("unit", Text),
            ("element", Text),
            ("driver", Text),
            ("description", Text),
            ("scheduler", Text),
            ("schedule", Text),
        ])),
    ),
    ("authoritativeDefinitions", DEFINITIONS),
    ("customProperties", CUSTOM_PROPERTIES),
    ("contractCreatedTs", Text),
];

/// Keys of `schema[0]` that are not used.
pub(crate) const TABLE: &[(&str, Shape)] = &[
    ("id", Text),
    ("physicalName", Text),
    ("physicalType", Text),
    ("description", Text),
    ("businessName", Text),
    ("authoritativeDefinitions", DEFINITIONS),
    ("tags", TAGS),
    ("customProperties", CUSTOM_PROPERTIES),
    ("dataGranularityDescription", Text),
    ("relationships", RELATIONSHIPS),
];

/// Keys of a property that are not used.
pub(crate) const PROPERTY: &[(&str, Shape)] = &[
    ("id", Text),
    ("description", Text),
    ("businessName", Text),
    ("authoritativeDefinitions", DEFINITIONS),
    ("tags", TAGS),
    ("customProperties", CUSTOM_PROPERTIES),
    ("partitioned", Boolean),
    ("partitionKeyPosition", Number),
    ("classification", Text),
    ("encryptedName", Text),
    ("transformSourceObjects", List(&Text)),
    ("transformLogic", Text),
    ("transformDescription", Text),
    ("examples", List(&Any)),
    ("criticalDataElement", Boolean),
    ("relationships", RELATIONSHIPS),
];

/// Keys of a quality entry that are not used.
pub(crate) const QUALITY: &[(&str, Shape)] = &[
    ("id", Text),
    ("authoritativeDefinitions", DEFINITIONS),
    ("businessImpact", Text),
    ("customProperties", CUSTOM_PROPERTIES),
    ("description", Text),
    ("dimension", Text),
    ("method", Text),
    ("schedule", Text),
    ("scheduler", Text),
    ("tags", TAGS),
];

/// Checks the value of an unused key by its shape.
pub(crate) fn check(shape: &Shape, value: &Cursor<'_>) {
    match shape {
        Any => {}
        Text => {
            value.text();
        }
        Number => {
            value.number();
        }
        Boolean => {
            value.boolean();
        }
        List(item) => value.items().iter().for_each(|v| check(item, v)),
        Map(keys) => {
            let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
            if let Some(fields) = value.fields(&names) {
                check_unused(keys, fields.all().as_slice());
            }
        }
    }
}

/// Checks those of the entries that stand in the table of unused keys.
pub(crate) fn check_unused(keys: &[(&str, Shape)], entries: &[(&str, Cursor<'_>)]) {
    for (key, value) in entries {
        if let Some((_, shape)) = keys.iter().find(|(name, _)| name == key) {
            check(shape, value);
        }
    }
}

/// `team` is a map since v3.1 and was a list of members before.
pub(crate) fn check_team(value: &Cursor<'_>) {
    check(if value.is_list() { &MEMBERS } else { &TEAM }, value);
}

/// The used keys and those of a table of unused ones.
pub(crate) fn keys<'a>(used: &[&'a str], unused: &[(&'a str, Shape)]) -> Vec<&'a str> {
    used.iter().copied().chain(unused.iter().map(|(name, _)| *name)).collect()
}
