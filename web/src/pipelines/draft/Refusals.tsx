import { Icon } from '../../ui';
import type { Refusal } from './trial';

/** Why the file as a whole would be refused. */
export function Refusals({ refusals }: { refusals: readonly Refusal[] }) {
  if (refusals.length === 0) return null;
  return (
    <div class="notice notice-bad">
      <Icon name="alert" />
      <div>
        <p><strong>The file as a whole would be refused</strong></p>
        {refusals.map((refusal) => (
          <p key={refusal.code + refusal.message}>
            <code>{refusal.code}</code> {refusal.message}
          </p>
        ))}
      </div>
    </div>
  );
}
