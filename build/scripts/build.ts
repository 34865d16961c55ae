import { cp, rm } from 'node:fs/promises'
import { build } from 'vite'
import { engineConfig } from '../vite/engine.config.ts'
import { mainConfig } from '../vite/main.config.ts'
import { rendererConfig } from '../vite/renderer.config.ts'
import { root } from './root.ts'

/** Builds every process into dist/. Repeating it gives the same files. */
async function buildAll(): Promise<void> {
  const started = performance.now()
  await rm(`${root}/dist`, { recursive: true, force: true })
  await Promise.all([
    build(engineConfig(root)),
    build(mainConfig(root, 'main')),
    build(mainConfig(root, 'preload')),
    build(rendererConfig(root)),
  ])
  await cp(`${root}/build/icons`, `${root}/dist/icons`, { recursive: true })
  console.log(`Built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
}

await buildAll()
