import { ipcMain } from 'electron'
import type { IpcMainInvokeEvent } from 'electron'
import type { Channel, Reply } from './contract.ts'
import { channels, invokeName } from './contract.ts'
import { reply } from './dispatch.ts'
import type { Handlers, OnInternal } from './dispatch.ts'

export interface ApiOptions {
  /** Whether a message comes from the main frame of our own window. */
  readonly isTrusted: (event: IpcMainInvokeEvent) => boolean
  readonly onInternal: OnInternal
  /** Errors: `busy`, for what comes too often. */
  readonly pace: (channel: Channel) => void
}

/** Answers the window: checks the sender, parses the request, wraps the reply. */
export function serveApi(handlers: Handlers, options: ApiOptions): void {
  for (const channel of channels) {
    ipcMain.handle(invokeName(channel), (event, request: unknown) => {
      return options.isTrusted(event) ? reply(handlers, channel, request, options) : refusal
    })
  }
}

const refusal: Reply<never> = { ok: false, error: { code: 'denied', message: 'The request did not come from the window of Holdfast.', retryable: false } }
