import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PrescaleError } from '../errors.ts'
import type { Limits } from '../config.ts'

const unpack = promisify(gunzip)

/** JSON, plain or gzipped; a bomb is refused at the limit, not after it. */
export function acceptJson (app: FastifyInstance, limits: () => Limits): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    return parseJson(await decode(request.headers['content-encoding'], body, limits().decodedBytes))
  })
}

async function decode (encoding: string | undefined, body: Buffer, decodedBytes: number): Promise<Buffer> {
  switch (encoding?.trim().toLowerCase()) {
    case undefined: case '': case 'identity': return body
    case 'gzip': case 'x-gzip': break
    default: throw new PrescaleError('unsupported-media-type', `The content encoding is ${encoding}, expected gzip or none.`)
  }
  try {
    return await unpack(body, { maxOutputLength: decodedBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new PrescaleError('body-too-large', `The body is larger than ${decodedBytes} bytes once it is unpacked (limits.decodedBytes).`)
    }
    throw new PrescaleError('invalid-request', `The body is not gzip: ${(error as Error).message}.`)
  }
}

function parseJson (body: Buffer): unknown {
  if (body.length === 0) throw new PrescaleError('invalid-request', 'The body is empty, expected JSON.')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new PrescaleError('invalid-request', `The body is not JSON: ${(error as Error).message}.`)
  }
}

/** Every body as it came, whatever its type; for a route that reads the headers itself. */
export function acceptBytes (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => body)
}
