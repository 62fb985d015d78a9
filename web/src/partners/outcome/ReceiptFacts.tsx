/** The receipt in short: proofs and promises. The download has everything. */

import { Link } from 'wouter-preact';

import { formatCount } from '../../ui';
import type { Receipt } from './problems';

export function ReceiptFacts({ receipt }: { readonly receipt: Receipt }) {
  const { file, checkedAgainst, published, review, keepUntil } = receipt;
  const facts: [string, preact.ComponentChildren][] = [];
  if (file.sha256) {
    facts.push([
      'SHA-256',
      <>
        <code class="hash">{file.sha256}</code> {file.declared.sha256 === file.sha256 && <span class="muted">equals what you declared</span>}
      </>,
    ]);
  }
  if (file.blake3) facts.push(['BLAKE3', <code class="hash">{file.blake3}</code>]);
  if (checkedAgainst) facts.push(['Checked against', `${checkedAgainst.contract} ${checkedAgainst.contractVersion}, pipeline version ${checkedAgainst.pipelineVersion}`]);
  if (published) facts.push(['Published in', `table ${published.table}, version ${formatCount(published.version)}`]);
  if (review) facts.push(['Decided by people', `${formatCount(review.corrected)} published, ${formatCount(review.rejected)} rejected`]);
  if (file.repeats) facts.push(['Same bytes as', <Link href={`/uploads/${file.repeats}`}>an earlier upload</Link>]);
  facts.push(['Kept until', keepUntil ?? 'no end is set']);
  return (
    <section class="panel" aria-labelledby="receipt-title">
      <h2 id="receipt-title">Receipt</h2>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
