import { Component, type ComponentChildren } from 'preact';

import { asApiError, type ApiError } from '../api/client';
import { ErrorPanel } from '../ui';

/** Keeps the shell alive when a page fails, or when its code cannot be loaded. */
export class Boundary extends Component<{ children: ComponentChildren }, { error: ApiError | null }> {
  override state = { error: null as ApiError | null };

  static override getDerivedStateFromError(error: unknown) {
    return { error: asApiError(error) };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <div class="page">
        <ErrorPanel
          error={this.state.error}
          title="This page cannot be shown. What you saved before is safe; load it again."
          onRetry={() => location.reload()}
        />
      </div>
    );
  }
}
