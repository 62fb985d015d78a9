import { describe, expect, it } from 'vitest';

import { peek } from './peek';

const file = (content: BlobPart) => new File([content], 'x');

describe('peek', () => {
  it('shows the first lines of text', async () => {
    expect(await peek(file('a,b\r\n1,2\n3,4\n5,6\n7,8\n'))).toEqual({ lines: ['a,b', '1,2', '3,4', '5,6'], warning: null });
    expect((await peek(file(new Uint8Array([0xff, 0xfe, 0x61, 0x00])))).lines[0]).toContain('a');
  });
  it('cuts long lines', async () => {
    expect((await peek(file('x'.repeat(1000)))).lines[0]).toHaveLength(201);
  });
  it('warns of what can be no data file', async () => {
    expect((await peek(file('PK\u0003\u0004…'))).warning).toContain('Excel');
    expect((await peek(file('%PDF-1.7'))).warning).toContain('PDF');
    expect((await peek(file('<!DOCTYPE html><html>'))).warning).toContain('web page');
  });
  it('takes compressed files and Parquet as they are', async () => {
    expect(await peek(file(new Uint8Array([0x1f, 0x8b, 8])))).toEqual({ lines: [], warning: null });
    expect(await peek(file('PAR1…'))).toEqual({ lines: [], warning: null });
  });
});
