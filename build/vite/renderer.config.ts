import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { InlineConfig } from 'vite'

/**
 * Builds the window. Every script and style is a file of its own and addressed relatively, so that it works below any
 * `app://` address and under `script-src 'self'; style-src 'self'` with nothing inline.
 */
export function rendererConfig(root: string): InlineConfig {
  return {
    root: `${root}/renderer`,
    base: './',
    configFile: false,
    logLevel: 'warn',
    plugins: [svelte({ configFile: false, compilerOptions: { runes: true, css: 'external' } })],
    build: {
      target: 'chrome114',
      outDir: `${root}/dist/renderer`,
      emptyOutDir: false,
      sourcemap: true,
      assetsInlineLimit: 0,
      // The dictionaries for the strength of a password are one such chunk, which is loaded only when somebody makes one up.
      chunkSizeWarningLimit: 900,
      modulePreload: { polyfill: false },
    },
  }
}
