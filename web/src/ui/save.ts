/** How long the browser may take to begin a download. */
const KEPT_MS = 60_000;

/** Saves bytes as a file of the person's. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

export const saveText = (text: string, name: string): void => saveBlob(new Blob([text]), name);
