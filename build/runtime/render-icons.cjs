/** Electron app that draws an SVG as PNG files: SVG in HOLDFAST_ICON_SVG, folder in HOLDFAST_ICON_OUT. */
const { app, BrowserWindow } = require('electron')
const { readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const sizes = [16, 24, 32, 48, 64, 128, 256, 512]

async function render() {
  await app.whenReady()
  const window = new BrowserWindow({ show: false })
  await window.loadURL('data:text/html,<title>icons</title>')
  const source = `data:image/svg+xml;base64,${readFileSync(process.env.HOLDFAST_ICON_SVG).toString('base64')}`
  for (const size of sizes) {
    const url = await window.webContents.executeJavaScript(`(${draw})(${JSON.stringify(source)}, ${size})`)
    writeFileSync(join(process.env.HOLDFAST_ICON_OUT, `${size}x${size}.png`), Buffer.from(url.split(',')[1], 'base64'))
  }
}

/** Runs in the page. */
async function draw(source, size) {
  const image = new Image(size, size)
  image.src = source
  await image.decode()
  const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size })
  canvas.getContext('2d').drawImage(image, 0, 0, size, size)
  return canvas.toDataURL('image/png')
}

render().then(
  () => app.exit(0),
  (error) => {
    console.error(error)
    app.exit(1)
  },
)
