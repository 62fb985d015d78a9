/** A pipeline with twenty rules that each hold rows back, and files for it. Of another partner than the one whose upload page is tested. */

import { ensurePipeline } from './api';

export const CAUSES = 20;

const PIPELINE = `apiVersion: sluice/v1
kind: Pipeline
name: meters
description: Readings of meters; each of twenty kinds of doubt is looked at by a person.
contract: meters.odcs.yaml
intake:
  partner: northwind
  path: "meters/*.csv"
  format:
    csv: { delimiter: "," }
rules:
${Array.from({ length: CAUSES }, (_, kind) => `  - { name: doubt-${String(kind).padStart(2, '0')}, when: "kind = ${kind}", outcome: review, because: "reading {reading} is in doubt" }`).join('\n')}
review: { approvers: 1, dueWithin: P2D }
publish: { table: meters }
archive: { tier: cool, retain: P1Y }
`;

const CONTRACT = `apiVersion: v3.1.0
kind: DataContract
id: urn:datacontract:northwind:meters
name: Meters
version: 1.0.0
status: active
schema:
  - name: meters
    physicalName: meters
    physicalType: csv
    properties:
      - { name: id, logicalType: integer, physicalType: bigint, primaryKey: true, primaryKeyPosition: 1 }
      - { name: kind, logicalType: integer, physicalType: int, required: true }
      - { name: reading, logicalType: string, physicalType: varchar(20), required: true }
`;

/** Stores the pipeline, unless this stack has it. */
export const preparePipeline = (): Promise<void> => ensurePipeline('meters', { pipeline: PIPELINE, contract: CONTRACT });

/** Rows of these kinds in order; a kind of 99 is held by no rule. */
export function readings(kinds: readonly number[]): string {
  return `id,kind,reading\n${kinds.map((kind, row) => `${row},${kind},${reading(row)}`).join('\n')}\n`;
}

/** Readings of three forms, so that a case has groups. */
const reading = (row: number): string => [`${row % 1000}`, `m-${row % 100}`, `${row % 10}.${row % 7}`][row % 3]!;
