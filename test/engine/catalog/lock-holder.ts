import { lockJob } from '../../../engine/catalog/lock.ts'

const [home = '', repositoryId = ''] = process.argv.slice(2)
const lock = lockJob(home, repositoryId, 'job')
process.on('disconnect', () => { lock[Symbol.dispose]() })
process.send?.('held')
