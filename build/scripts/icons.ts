import { spawnSync } from 'node:child_process'
import { findRuntime } from '../runtime/runtime.ts'
import { root } from './root.ts'

/** Draws build/icons/holdfast.svg as PNG files in build/icons; they are committed. Wants a screen: `npm run icons`. */
const runtime = await findRuntime()
const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
const { status } = spawnSync(runtime.executable, [...sandbox, `${root}/build/runtime/render-icons.cjs`], {
  stdio: 'inherit',
  env: { ...process.env, HOLDFAST_ICON_SVG: `${root}/build/icons/holdfast.svg`, HOLDFAST_ICON_OUT: `${root}/build/icons` },
})
process.exitCode = status ?? 1
