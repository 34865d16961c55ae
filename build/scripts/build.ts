import { cp, rename, rm } from 'node:fs/promises'
import { build, mergeConfig, type InlineConfig } from 'vite'
import { engineConfig } from '../vite/engine.config.ts'
import { inlinedConfig } from '../vite/inlined.ts'
import { mainConfig } from '../vite/main.config.ts'
import { rendererConfig } from '../vite/renderer.config.ts'
import { makeMessages } from './messages.ts'
import { root } from './root.ts'

/**
 * Builds every process into dist/. Repeating it gives the same files. They are made beside it and take its place at once, so
 * that an app that starts meanwhile finds one build or the other.
 */
async function buildAll(): Promise<void> {
  const started = performance.now()
  await makeMessages()
  // As deep as dist/, because source maps name the sources relatively.
  const fresh = `${root}/dist-${process.pid}`
  try {
    await Promise.all([
      buildInto(`${fresh}/engine`, engineConfig(root)),
      buildInto(`${fresh}/engine/inlined`, inlinedConfig(root)),
      buildInto(`${fresh}/main`, mainConfig(root, 'main')),
      buildInto(`${fresh}/main`, mainConfig(root, 'preload')),
      buildInto(`${fresh}/renderer`, rendererConfig(root)),
    ])
    await cp(`${root}/build/icons`, `${fresh}/icons`, { recursive: true })
    await copyAppKeys(`${fresh}/engine/app-keys.json`)
    await putInPlace(fresh)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  console.log(`Built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
}

async function buildInto(outDir: string, config: InlineConfig): Promise<void> {
  await build(mergeConfig(config, { build: { outDir } }))
}

/** The keys of the apps that people sign in with (README); they are the builder's own, and none are in the repository. */
async function copyAppKeys(to: string): Promise<void> {
  await cp(`${root}/build/app-keys.json`, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function putInPlace(fresh: string): Promise<void> {
  const old = `${fresh}-old`
  await rename(`${root}/dist`, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(fresh, `${root}/dist`)
  await rm(old, { recursive: true, force: true })
}

await buildAll()
