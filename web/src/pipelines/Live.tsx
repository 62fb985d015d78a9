import { Time } from '../ui';
import type { PipelineTexts } from './api';
import { authorName } from './person';

/** The live version, as it is stored. */
export function Live({ texts }: { texts: PipelineTexts }) {
  return (
    <div class="pipeline-live">
      <p class="muted">
        Version {texts.version}, stored <Time at={texts.createdAt} /> by <span title={texts.createdBy}>{authorName(texts.createdBy, texts.createdByName)}</span>
        {texts.approvedBy && (
          <>
            , approved by <span title={texts.approvedBy}>{authorName(texts.approvedBy, texts.approvedByName)}</span>
          </>
        )}
        . New runs are pinned to it. <span class="hash">BLAKE3 <code>{texts.hash}</code></span>
      </p>
      <div class="pipeline-texts">
        <Text title="Pipeline" text={texts.pipeline} />
        <Text title="Contract" text={texts.contract} />
      </div>
    </div>
  );
}

function Text({ title, text }: { title: string; text: string }) {
  return (
    <section class="source" aria-label={title}>
      <h2>{title}</h2>
      <pre tabIndex={0} aria-label={`${title}, YAML`}>
        <ol>
          {text.replace(/\n$/, '').split('\n').map((line, i) => (
            <li key={i}>{line || ' '}</li>
          ))}
        </ol>
      </pre>
    </section>
  );
}
