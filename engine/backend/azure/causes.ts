import type { Cause } from '../http/failure.ts'

const keys = 'Compare the account key, or the SAS token and the day when it ends, with the storage account in the Azure portal.'
const rights = 'Compare the account key with the Azure portal. A SAS token needs the rights to read, add, create, write, delete and list in this container, and ends on its day. A firewall of the storage account can also shut this machine out.'
const wrongKey: Cause = { code: 'credentials', said: 'Azure does not accept the key or the SAS token.', advice: keys }
const sas = (said: string): Cause => ({ code: 'denied', said, advice: 'Make a SAS token that allows it, or use the account key.' })
const refused: Cause = { code: 'denied', said: 'Azure refuses the operation.', advice: rights }
const slower: Cause = { code: 'throttled', said: 'Azure asks to go slower.' }
const garbled: Cause = { code: 'unavailable', said: 'Azure received other bytes than were sent.', advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' }
const immutable: Cause = { code: 'denied', said: 'The object is locked by a rule of the container and cannot be deleted or replaced before its time.', advice: 'Wait until the lock ends, or use a container without such a rule.' }
const leased: Cause = { code: 'denied', said: 'Somebody has a lease on the object or the container at Azure.', advice: 'End the lease in the Azure portal.' }
const archived: Cause = { code: 'unavailable', said: 'The object lies in the archive tier and cannot be read from there.', advice: 'Move it to the hot, cool or cold tier in the Azure portal (it takes hours), and let no rule of the account move objects of the repository to the archive.' }
const account: Cause = { code: 'denied', said: 'Azure has shut the storage account.', advice: 'Look into the account in the Azure portal: a bill, or a limit.' }
const other: Cause = { code: 'denied', said: 'Something that is no object of Holdfast\'s stands in the place.', advice: 'Use a folder in which nothing else is kept.' }
const name: Cause = { code: 'arguments', said: 'Azure takes no names like that of the container or the folder.', advice: 'Check container and folder in the address.' }
const tooLarge: Cause = { code: 'full', said: 'Azure takes no object this large.' }
const misunderstood: Cause = { code: 'unsupported', said: 'Azure refuses a request that its interface has.', advice: 'Check endpoint, storage account and container in the address. If they are right, update Holdfast.' }

export const noObject: Cause = { code: 'not-found', said: 'The object does not exist.' }
export const missingContainer: Cause = { code: 'arguments', said: 'The container does not exist.', advice: 'Check the container\'s name in the address, or make the container in the Azure portal.' }
export const skewedClock: Cause = { code: 'denied', said: 'The clock of this machine differs too much from Azure\'s.', advice: 'Set date, time and time zone of this machine.' }

/**
 * What Azure's own error codes mean; they say more than the HTTP status.
 * https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes, …/blob-service-error-codes
 */
export const serviceCauses: Readonly<Record<string, Cause>> = {
  ContainerNotFound: missingContainer,
  ContainerBeingDeleted: { code: 'unavailable', said: 'The container is being deleted at Azure.', advice: 'Wait some minutes and make it anew, or use another container.' },
  ContainerDisabled: { code: 'denied', said: 'The container is disabled at Azure.', advice: 'Look into the container in the Azure portal.' },
  InvalidResourceName: name,
  OutOfRangeInput: name,
  BlobNotFound: noObject,
  // In an account with a hierarchy a folder has the name, and things are in it.
  DirectoryIsNotEmpty: noObject,
  BlobAlreadyExists: { code: 'exists', said: 'The object exists already.' },
  ConditionNotMet: { code: 'exists', said: 'The object exists already.' },
  AuthenticationFailed: wrongKey,
  InvalidAuthenticationInfo: wrongKey,
  NoAuthenticationInformation: wrongKey,
  KeyBasedAuthenticationNotPermitted: { code: 'denied', said: 'The storage account takes no account keys.', advice: 'Allow "storage account key access" in its configuration in the Azure portal, or use a SAS token of a user delegation.' },
  AuthorizationFailure: refused,
  AuthorizationPermissionMismatch: sas('The SAS token does not allow the operation.'),
  AuthorizationProtocolMismatch: sas('The SAS token allows https only.'),
  AuthorizationServiceMismatch: sas('The SAS token is not for the blob service.'),
  AuthorizationResourceTypeMismatch: sas('The SAS token is not for containers and their objects.'),
  AuthorizationSourceIPMismatch: sas('The SAS token is not for the address of this machine.'),
  InsufficientAccountPermissions: refused,
  PublicAccessNotPermitted: refused,
  ResourceNotFound: missingContainer,
  AccountIsDisabled: account,
  AccountBeingCreated: { code: 'unavailable', said: 'The storage account is being made at Azure.' },
  BlobArchived: archived,
  BlobBeingRehydrated: archived,
  BlobImmutableDueToPolicy: immutable,
  BlobImmutableDueToLegalHold: immutable,
  LeaseIdMissing: leased,
  LeaseIdMismatchWithBlobOperation: leased,
  SnapshotsPresent: { code: 'denied', said: 'The object has snapshots at Azure, with which it cannot be deleted.', advice: 'Delete its snapshots in the Azure portal, and let nothing make others.' },
  BlobTypeMismatch: other,
  InvalidBlobType: other,
  Md5Mismatch: garbled,
  Crc64Mismatch: garbled,
  InvalidMd5: garbled,
  RequestBodyTooLarge: tooLarge,
  BlockCountExceedsLimit: tooLarge,
  BlockListTooLong: tooLarge,
  InvalidRange: { code: 'damaged', said: 'The object ends before the bytes that were asked for.' },
  ServerBusy: slower,
  OperationTimedOut: slower,
  InternalError: { code: 'unavailable', said: 'Azure reports a fault of its own.' },
}

/** Where Azure gives no code that is known here. */
export function statusCause(status: number): Cause {
  if (status === 401) return wrongKey
  if (status === 403) return refused
  if (status === 404) return noObject
  if (status === 408) return { code: 'unavailable', said: 'Azure gave up waiting.' }
  if (status === 409) return { code: 'unavailable', said: 'Azure is working on the same object.' }
  if (status === 412) return { code: 'exists', said: 'The object exists already.' }
  if (status === 413) return tooLarge
  if (status === 416) return { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }
  if (status === 429 || status === 503) return slower
  if (status === 507) return { code: 'full', said: 'The storage is full.' }
  if (status >= 500) return { code: 'unavailable', said: 'Azure reports a fault of its own.' }
  return misunderstood
}
