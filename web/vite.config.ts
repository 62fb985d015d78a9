import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';

import { stack } from './scripts/stack-plugin.ts';

export default defineConfig({
  plugins: [preact({ prefreshEnabled: false }), stack()],
  build: {
    target: 'es2022',
    // light-dark() stays as it is written: every browser that this app supports knows it.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: URL as script or style would be against the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
