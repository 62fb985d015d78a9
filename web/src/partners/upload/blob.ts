/** Put Block and Put Block List of Blob Storage, with a URL that has a signature. The URL is a secret: it is in no message. */

const API_VERSION = '2022-11-02';

/** What the storage account says, or that it says nothing. */
export class BlobFault extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(status === 0 ? 'the storage account cannot be reached' : `the storage account answered ${status} ${code}`);
  }

  /** Worth another try with the same request. */
  get transient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** The signature is no longer valid; a new grant helps. A grant that may not overwrite answers 403, too. */
  get expired(): boolean {
    return (this.status === 403 || this.status === 401) && !this.exists;
  }

  /** There is a blob at this path already. */
  get exists(): boolean {
    return this.code === 'BlobAlreadyExists' || this.code === 'UnauthorizedBlobOverwrite' || this.code === 'BlobImmutableDueToPolicy';
  }

  /** The service drops blocks that are not committed for a week. */
  get blocksAreGone(): boolean {
    return this.code === 'InvalidBlockList';
  }
}

interface Put {
  url: URL;
  body: ArrayBuffer | string;
  headers?: Record<string, string>;
  signal: AbortSignal;
  onProgress?: (sent: number) => void;
}

/** XMLHttpRequest, because fetch does not tell how much of a body was sent. */
function put({ url, body, headers = {}, signal, onProgress }: Put): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    request.open('PUT', url);
    request.setRequestHeader('x-ms-version', API_VERSION);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new BlobFault(request.status, /<Code>(\w+)<\/Code>/.exec(request.responseText)?.[1] ?? ''));
    };
    request.onerror = () => reject(new BlobFault(0, ''));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    request.send(body);
  });
}

function withQuery(url: string, query: Record<string, string>): URL {
  const target = new URL(url);
  for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
  return target;
}

export function putBlock(
  url: string,
  id: string,
  bytes: ArrayBuffer,
  signal: AbortSignal,
  onProgress: (sent: number) => void,
): Promise<void> {
  return put({ url: withQuery(url, { comp: 'block', blockid: id }), body: bytes, signal, onProgress });
}

/** Makes the blob of its blocks, create-only, and declares its SHA-256, which Sluice compares with what it reads. */
export function putBlockList(url: string, ids: string[], sha256: string, contentType: string, signal: AbortSignal): Promise<void> {
  const blocks = ids.map((id) => `<Latest>${id}</Latest>`).join('');
  return put({
    url: withQuery(url, { comp: 'blocklist' }),
    body: `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks}</BlockList>`,
    headers: {
      'content-type': 'application/xml',
      'if-none-match': '*',
      'x-ms-blob-content-type': contentType,
      'x-ms-meta-sha256': sha256,
    },
    signal,
  });
}
