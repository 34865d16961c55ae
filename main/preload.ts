import { contextBridge, ipcRenderer } from 'electron'
import type { Bridge, PushChannel } from './api/contract.ts'
import { channels, invokeName, pushChannels, pushName } from './api/contract.ts'

/** The only door of the window: listed channels, nothing of Electron itself. */
const bridge: Bridge = {
  invoke(channel, ...request) {
    if (!channels.includes(channel)) throw new TypeError('unknown channel')
    return ipcRenderer.invoke(invokeName(channel), request[0])
  },
  subscribe(channel, listener) {
    if (!(pushChannels as readonly PushChannel[]).includes(channel)) throw new TypeError('unknown channel')
    const forward = (_event: unknown, value: Parameters<typeof listener>[0]): void => { listener(value) }
    ipcRenderer.on(pushName(channel), forward)
    return () => { ipcRenderer.removeListener(pushName(channel), forward) }
  },
}

contextBridge.exposeInMainWorld('holdfast', bridge)
