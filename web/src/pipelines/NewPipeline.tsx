import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import { Button, Dialog, Field } from '../ui';
import type { PipelineView } from './api';
import { NAME } from './begun';

interface Props {
  readonly pipelines: readonly PipelineView[];
  readonly onClose: () => void;
}

/** Asks for the name of a new pipeline; its first draft is written on its own page. */
export function NewPipeline({ pipelines, onClose }: Props) {
  const [, navigate] = useLocation();
  const [name, setName] = useState('');
  const [asked, setAsked] = useState(false);
  const fault = pipelines.some((one) => one.name === name)
    ? 'There is a pipeline of this name already: open it to change it.'
    : NAME.test(name)
      ? null
      : 'A name has small letters, digits and hyphens, and begins with a letter.';
  const begin = () => {
    setAsked(true);
    if (fault === null) navigate(`/pipelines/${name}/draft`);
  };
  return (
    <Dialog
      title="New pipeline"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="new-pipeline">
            Begin the draft
          </Button>
        </>
      }
    >
      <form
        id="new-pipeline"
        onSubmit={(event) => {
          event.preventDefault();
          begin();
        }}
      >
        <Field
          label="Name"
          class="mono"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={name}
          hint="It stays for good: runs, tables and decisions name it."
          error={asked && fault !== null ? fault : undefined}
          onInput={(event) => setName(event.currentTarget.value.trim())}
        />
      </form>
      <p class="muted">You write pipeline and contract on the next page. Nothing goes live until another person approves it.</p>
    </Dialog>
  );
}
