/** Files as a person gives them: dropped, or chosen in a dialog; with a handle where the browser has one, so that an upload can go on. */

export interface Chosen {
  readonly file: File;
  readonly handle: FileSystemFileHandle | null;
}

type Picker = (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;
type WithHandle = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

const picker = (globalThis as { showOpenFilePicker?: Picker }).showOpenFilePicker;

/** Whether the browser's dialog gives handles; else an `<input type=file>` is needed. */
export const hasPicker = picker !== undefined;

/** Files of the browser's own dialog; none if the person closes it. */
export async function pick(multiple: boolean): Promise<Chosen[]> {
  if (!picker) return [];
  try {
    const handles = await picker({ multiple });
    return await Promise.all(handles.map(async (handle) => ({ handle, file: await handle.getFile() })));
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return [];
    throw error;
  }
}

export function fromInput(input: HTMLInputElement): Chosen[] {
  const chosen = [...(input.files ?? [])].map((file) => ({ file, handle: null }));
  // The same file can be chosen again.
  input.value = '';
  return chosen;
}

/** The items must be asked within the event; what they answer comes later. Folders are left out. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen[]> {
  const asked = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item: WithHandle) => ({ file: item.getAsFile(), isFolder: item.webkitGetAsEntry()?.isDirectory ?? false, handle: item.getAsFileSystemHandle?.() }));
  const chosen = await Promise.all(
    asked.map(async ({ file, isFolder, handle }) => {
      if (!file || isFolder) return null;
      const found = await handle?.catch(() => null);
      return { file, handle: found?.kind === 'file' ? (found as FileSystemFileHandle) : null };
    }),
  );
  return chosen.filter((one) => one !== null);
}
