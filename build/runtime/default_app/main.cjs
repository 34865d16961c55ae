/**
 * Does what Electron's own default_app does for `electron [-r module]... <folder or file> [arguments]`: names the app as its
 * package.json says, then runs its main. The fallback runtime comes without one. Playwright needs `-r`.
 */
const { app } = require('electron')
const { existsSync, readFileSync } = require('node:fs')
const Module = require('node:module')
const { join, resolve } = require('node:path')

/** @param {readonly string[]} argv */
function parse(argv) {
  const preload = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '-r' || word === '--require') preload.push(argv[++at] ?? '')
    else if (!word.startsWith('-')) return { preload, target: word }
  }
  return { preload, target: undefined }
}

/** Takes over name, version and paths of the app in `folder`, and returns its main file. @param {string} folder */
function adopt(folder) {
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) return folder
  const { name, productName, version, desktopName, main } = JSON.parse(readFileSync(manifest, 'utf8'))
  if (version) app.setVersion(version)
  if (desktopName) app.setDesktopName(desktopName)
  app.setName(productName ?? name)
  app.setPath('userData', join(app.getPath('appData'), productName ?? name))
  app.setAppPath(folder)
  return resolve(folder, main ?? 'index.js')
}

const { preload, target } = parse(process.argv.slice(1))
if (process.argv.includes('--version')) {
  console.log(`v${process.versions.electron}`)
  process.exit(0)
}
if (target === undefined) {
  console.error('usage: electron [-r module]... <app folder or file> [arguments]')
  process.exit(1)
}
Object.assign(process, { defaultApp: true })
for (const one of preload) Module._load(one, module, true)
Module._load(adopt(resolve(target)), module, true)
