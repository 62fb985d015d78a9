import type { Texts } from './api';

/** Names of pipelines, as the API takes them. */
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Texts to begin a new pipeline with: the smallest that say everything that must be said. */
export const begun = (name: string): Texts => ({
  pipeline: `apiVersion: sluice/v1
kind: Pipeline
name: ${name}
description: What these files are, in one sentence.
contract: contract.odcs.yaml
intake:
  # The landing zone of this partner, and the paths in it.
  partner: partner-id
  path: "${name}/*.csv"
  format:
    csv: { delimiter: "," }
# Rows that a person looks at, or that are rejected.
rules:
  - { name: amount-is-negative, when: "amount < 0", outcome: review, because: "the amount {amount} is below zero" }
review: { approvers: 1, dueWithin: P2D }
publish: { table: ${name.replaceAll('-', '_')} }
archive: { tier: cool, retain: P7Y }
`,
  contract: `apiVersion: v3.1.0
kind: DataContract
id: urn:datacontract:${name}
name: ${name}
version: 1.0.0
status: active
schema:
  - name: ${name.replaceAll('-', '_')}
    physicalType: csv
    properties:
      - name: id
        logicalType: integer
        physicalType: bigint
        primaryKey: true
        primaryKeyPosition: 1
      - name: amount
        logicalType: number
        physicalType: decimal(12,2)
        required: true
`,
});
