import type { ApiError } from '../api/client';
import { Button } from './Button';
import { Icon } from './Icon';

interface Props {
  readonly error: ApiError;
  /** What was tried, as a heading: 'The run cannot be shown'. */
  readonly title?: string;
  readonly onRetry?: () => void;
}

/** What happened, whether anything was lost, and what to do. */
export function ErrorPanel({ error, title, onRetry }: Props) {
  return (
    <div class="error-panel" role="alert">
      <Icon name="alert" />
      <div class="error-text">
        <p class="error-title">
          {title ?? error.title}
          {error.code && <code class="error-code">{error.code}</code>}
        </p>
        <p>{error.detail}</p>
        {error.mistakes.length > 0 && (
          <ul class="error-list">
            {error.mistakes.map((mistake) => (
              <li key={`${mistake.file}${mistake.path}${mistake.line}${mistake.code}`}>
                <code>
                  {mistake.file}:{mistake.line}:{mistake.column}
                </code>{' '}
                {mistake.message} <span class="muted">({mistake.code}, {mistake.path})</span>
              </li>
            ))}
          </ul>
        )}
        {error.problems.length > 0 && (
          <ul class="error-list">
            {error.problems.slice(0, 20).map((problem) => (
              <li key={problem.id}>
                <code>{problem.id}</code> {problem.detail} <span class="muted">({problem.code})</span>
              </li>
            ))}
            {error.problems.length > 20 && <li>and {error.problems.length - 20} more</li>}
          </ul>
        )}
        {error.trace && <p class="muted">For support: {error.trace}</p>}
        {onRetry && (
          <Button size="small" icon="refresh" onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
