/** A read-only OCI registry on loopback, with the faults that registries have. */
import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {OciBlob, OciImage} from './oci-image.js';

/**
 * denied: 401 without a way in. busy: 503. broken: blobs with other bytes. cut: the connection ends in the middle of
 * a layer. stalled: layers begin and never go on. silent: no byte of an answer.
 */
export type Fault = 'denied' | 'busy' | 'broken' | 'cut' | 'stalled' | 'silent';

export interface TestRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** `GET /v2/…` a line, as they came. */
  readonly requests: readonly string[];
  readonly serve: (repository: string, tag: string, image: OciImage, fault?: Fault) => void;
  readonly close: () => Promise<void>;
}

interface Served {
  readonly image: OciImage;
  readonly tag: string;
  readonly fault: Fault | undefined;
}

export const startRegistry = async (): Promise<TestRegistry> => {
  const served = new Map<string, Served>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const {method = '', url = ''} = request;
    requests.push(`${method} ${url}`);
    answer(served, url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    requests,
    serve: (repository, tag, image, fault) => served.set(repository, {image, tag, fault}),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
};

const answer = (served: ReadonlyMap<string, Served>, url: string, response: ServerResponse): void => {
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  const [, repository = '', kind, name = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
  const there = served.get(repository);
  if (url === '/v2/') response.end('{}');
  else if (there === undefined) refuse(response, 404, 'NAME_UNKNOWN');
  else if (there.fault === 'denied') deny(response);
  else if (there.fault === 'busy') refuse(response, 503, 'UNAVAILABLE');
  else if (there.fault !== 'silent')
    deliver({there, isTag: kind === 'manifests' && name === there.tag, name, response});
};

const deliver = (wanted: {there: Served; isTag: boolean; name: string; response: ServerResponse}): void => {
  const {there, isTag, name, response} = wanted;
  const {image, fault} = there;
  const all: readonly OciBlob[] = [image.manifest, ...image.blobs];
  const found = isTag ? image.manifest : all.find(({digest}) => digest === name);
  if (found === undefined) refuse(response, 404, 'MANIFEST_UNKNOWN');
  else send(response, found, image.layers.includes(found) ? fault : undefined);
};

const send = (response: ServerResponse, {content, digest}: OciBlob, fault: Fault | undefined): void => {
  const {mediaType} = content[0] === 0x7b ? JSON.parse(content.toString()) : {mediaType: undefined};
  response.setHeader('Content-Type', mediaType ?? 'application/octet-stream');
  response.setHeader('Content-Length', content.length);
  response.setHeader('Docker-Content-Digest', digest);
  if (fault === undefined) response.end(content);
  else if (fault === 'broken') response.end(Buffer.alloc(content.length, 'x'));
  else response.write(content.subarray(0, content.length >> 1), () => fault === 'cut' && response.destroy());
};

const deny = (response: ServerResponse): void => {
  response.setHeader('WWW-Authenticate', 'Basic realm="test"');
  refuse(response, 401, 'UNAUTHORIZED');
};

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, {'Content-Type': 'application/json'});
  response.end(JSON.stringify({errors: [{code, message: code.toLowerCase().replace('_', ' ')}]}));
};
