// Starts Azurite's blob service, with queries that do not look at every blob.
//
// Azurite keeps its account of blobs in LokiJS, which answers a query of several properties through the index of the first one only. Azurite
// names the account first, and there is one: each request then looks at all blobs of the machine, so that ten thousand files take hours.
// Nothing else is changed.
"use strict";

const Loki = require("lokijs");

// Which property tells blobs apart best; the rest follows in its own order.
const FIRST = ["blobName", "name", "containerName"];

function rank(filter) {
  const [property] = Object.keys(filter);
  // Loki has no index for patterns.
  const at = typeof filter[property] === "string" ? FIRST.indexOf(property) : -1;
  return at < 0 ? FIRST.length : at;
}

// `{ name: { $regex: "^flights\\/" } }`, as Azurite asks for a prefix, is a range of the index first.
function range(filter) {
  const pattern = filter.name && filter.name.$regex;
  const literal = /^\^((?:\\.|[^\\])+)$/s.exec(typeof pattern === "string" ? pattern : "");
  if (!literal) return [];
  const prefix = literal[1].replace(/\\(.)/gs, "$1");
  return [{ name: { $between: [prefix, prefix + "\uffff"] } }];
}

const { findAnd } = Loki.Resultset.prototype;
function find(filters) {
  const sorted = [...filters].sort((a, b) => rank(a) - rank(b));
  return findAnd.call(this, [...filters.flatMap(range), ...sorted]);
}
Loki.Resultset.prototype.findAnd = find;
Loki.Resultset.prototype.$and = find;

// Loki compares names such as 9, 10 and 1a as numbers where it can, which is no order: a search in the index could miss one of them.
for (const name of ["lt", "gt", "aeq"]) {
  const compare = Loki.Comparators[name];
  const texts = { lt: (a, b, equal) => a < b || (equal && a === b), gt: (a, b, equal) => a > b || (equal && a === b), aeq: (a, b) => a === b }[name];
  Loki.Comparators[name] = (a, b, equal) => (typeof a === "string" && typeof b === "string" ? texts(a, b, equal) : compare(a, b, equal));
}

// Indexes that were stored may be in Loki's order.
const { loadJSONObject } = Loki.prototype;
Loki.prototype.loadJSONObject = function (...given) {
  loadJSONObject.apply(this, given);
  for (const collection of this.collections) collection.ensureAllIndexes(true);
};

require("azurite/dist/src/blob/main.js");
