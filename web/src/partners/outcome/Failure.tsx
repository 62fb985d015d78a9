/** Why a file as a whole was not taken. */

import type { components } from '../../api/schema';
import { formatCount, Icon } from '../../ui';

export function Failure({ failure }: { readonly failure: components['schemas']['FailureView'] }) {
  const isOurs = !failure.code.startsWith('F');
  return (
    <div class="error-panel" role="alert">
      <Icon name="alert" />
      <div class="error-text">
        <p class="error-title">
          The file was not taken <code class="error-code">{failure.code}</code>
        </p>
        <p>{failure.message}</p>
        {typeof failure.line === 'number' && <p class="muted">Line {formatCount(failure.line)} of the file.</p>}
        <p>
          Nothing of it was published.{' '}
          {isOurs ? 'The file itself is kept: an operator can work through it again.' : 'Correct the file and send it again under another path.'}
        </p>
      </div>
    </div>
  );
}
