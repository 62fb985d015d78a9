/** The first lines of a chosen file. */

import { Icon, useLoad } from '../../ui';
import { peek } from './peek';

export function Beginning({ file }: { readonly file: File }) {
  const { data, error } = useLoad(() => peek(file), [file]);
  if (error) return <p role="alert">The file cannot be read: {error.detail} Choose it again.</p>;
  if (!data) return null;
  return (
    <>
      {data.warning && (
        <p class="notice notice-warn" role="alert">
          <Icon name="alert" /> {data.warning}
        </p>
      )}
      {data.lines.length > 0 && !data.warning && (
        <figure class="beginning">
          <figcaption class="label">How it begins</figcaption>
          <pre tabIndex={0} role="region" aria-label="First lines of the file">
            {data.lines.join('\n')}
          </pre>
        </figure>
      )}
    </>
  );
}
