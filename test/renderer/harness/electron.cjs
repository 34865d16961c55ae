// @ts-check
/** Shows one page as main shows the window: sandboxed and isolated, but without a preload. */
const { app, BrowserWindow } = require('electron')

void app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 900, height: 600, useContentSize: true, show: true, webPreferences: { sandbox: true, contextIsolation: true } })
  void window.loadURL('about:blank')
})
