/** Blob Storage's cross-origin rules, set as an operator would (REST "Set Blob Service Properties"). */

import { createHmac } from 'node:crypto';

/** Azurite's public account; it opens nothing but an emulator. */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export async function allowOrigin(blob: string, origin: string): Promise<void> {
  const url = new URL(`${blob}?restype=service&comp=properties`);
  const account = url.pathname.slice(1);
  const rule = `<CorsRule><AllowedOrigins>${origin}</AllowedOrigins><AllowedMethods>PUT,OPTIONS</AllowedMethods><AllowedHeaders>*</AllowedHeaders><ExposedHeaders>x-ms-error-code</ExposedHeaders><MaxAgeInSeconds>600</MaxAgeInSeconds></CorsRule>`;
  const body = `<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Cors>${rule}</Cors></StorageServiceProperties>`;
  const date = new Date().toUTCString();
  const headers = `x-ms-date:${date}\nx-ms-version:2022-11-02`;
  const resource = `/${account}/${account}\ncomp:properties\nrestype:service`;
  const text = `PUT\n\n\n${Buffer.byteLength(body)}\n\napplication/xml\n\n\n\n\n\n\n${headers}\n${resource}`;
  const signature = createHmac('sha256', Buffer.from(KEY, 'base64')).update(text, 'utf8').digest('base64');
  const response = await fetch(url, {
    method: 'PUT',
    body,
    headers: {
      Authorization: `SharedKey ${account}:${signature}`,
      'Content-Type': 'application/xml',
      'x-ms-date': date,
      'x-ms-version': '2022-11-02',
    },
  });
  if (!response.ok) throw new Error(`Blob Storage refuses its cross-origin rules: ${response.status} ${await response.text()}`);
}
