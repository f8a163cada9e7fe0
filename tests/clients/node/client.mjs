// The verbs of the journey in @kubernetes/client-node. A line of JSON in is a call, {id, verb, args}; lines out are its
// answers: {id, value}, {id, refused: {code, status}}, {id, item} for each thing of a stream, {id, end}. {cancel: id} ends one.

import { createInterface } from 'node:readline';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const k8s = await import(pathToFileURL(process.env.CLIENT_NODE).href);
const config = new k8s.KubeConfig();
config.loadFromFile(process.env.KUBECONFIG);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const custom = config.makeApiClient(k8s.CustomObjectsApi);

const KINDS = {
  configmaps: ['v1', 'ConfigMap'],
  secrets: ['v1', 'Secret'],
  pods: ['v1', 'Pod'],
  serviceaccounts: ['v1', 'ServiceAccount'],
  namespaces: ['v1', 'Namespace'],
  deployments: ['apps/v1', 'Deployment'],
  replicasets: ['apps/v1', 'ReplicaSet'],
  poddisruptionbudgets: ['policy/v1', 'PodDisruptionBudget'],
  customresourcedefinitions: ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  crontabs: ['clients.example.com/v1', 'CronTab'],
};
const PATCHES = {
  json: k8s.PatchStrategy.JsonPatch,
  merge: k8s.PatchStrategy.MergePatch,
  strategic: k8s.PatchStrategy.StrategicMergePatch,
};
const CRONTABS = { group: 'clients.example.com', version: 'v1', plural: 'crontabs' };
const MERGE = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);

const spec = (kind, namespace, body) => {
  const [apiVersion, name] = KINDS[kind];
  return { ...body, apiVersion, kind: name, metadata: { ...body.metadata, ...(namespace ? { namespace } : {}) } };
};
const path = (kind, namespace) => {
  const [apiVersion] = KINDS[kind];
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${namespace}/${kind}`;
};
const sink = (take) => new Writable({ write(chunk, _encoding, done) { take(chunk); done(); } });
const gathered = () => {
  const chunks = [];
  return { stream: sink((chunk) => chunks.push(chunk)), bytes: () => Buffer.concat(chunks) };
};
const until = (socket) => new Promise((done) => socket.on('close', done));

async function executed(namespace, pod, command, stdin) {
  const out = gathered();
  const err = gathered();
  let status;
  const socket = await new k8s.Exec(config).exec(
    namespace, pod, 'main', command, out.stream, err.stream, stdin, false, (found) => { status = found; },
  );
  await until(socket);
  const cause = status.details?.causes?.find((each) => each.reason === 'ExitCode');
  return [out.bytes().toString(), err.bytes().toString(), status.status === 'Success' ? 0 : Number(cause.message)];
}

function watching(kind, namespace, since, more, item, held) {
  return new Promise((done, fail) => {
    const query = { resourceVersion: since, ...more };
    const told = (phase, object) => {
      if (phase === 'ERROR') fail({ code: object.code, body: object });
      else item([phase, object]);
    };
    new k8s.Watch(config).watch(path(kind, namespace), query, told, (error) => (error ? fail(error) : done()))
      .then((controller) => { held.stop = () => { controller.abort(); done(); }; }, fail);
  });
}

const VERBS = {
  version: async () => (await config.makeApiClient(k8s.VersionApi).getCode()).gitVersion,
  create: (kind, namespace, body) => objects.create(spec(kind, namespace, body)),
  dry_run: (kind, namespace, body) => objects.create(spec(kind, namespace, body), undefined, 'All'),
  read: (kind, namespace, name) => objects.read(spec(kind, namespace, { metadata: { name } })),
  replace: (kind, namespace, name, body) => objects.replace(body),
  delete: async (kind, namespace, name, propagation) => {
    await objects.delete(spec(kind, namespace, { metadata: { name } }), undefined, undefined, undefined, undefined, propagation);
  },
  delete_all: async (kind, namespace, labels) => {
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: labels });
  },
  select: async (kind, namespace, labels, fields) => {
    const [apiVersion, name] = KINDS[kind];
    const found = await objects.list(apiVersion, name, namespace, undefined, undefined, undefined, fields, labels);
    return found.items.map((each) => each.metadata.name).sort();
  },
  pages: async (kind, namespace, limit) => {
    const pages = [];
    let more;
    do {
      const found = await core.listNamespacedSecret({ namespace, limit, _continue: more });
      pages.push(found.items.map((each) => each.metadata.name));
      more = found.metadata._continue;
    } while (more);
    return pages;
  },
  patch: (kind, namespace, name, how, body) => {
    if (how !== 'json') {
      return objects.patch(spec(kind, namespace, { ...body, metadata: { name } }), undefined, undefined, undefined, undefined, PATCHES[how]);
    }
    return apps.patchNamespacedDeployment({ namespace, name, body }, k8s.setHeaderOptions('Content-Type', PATCHES[how]));
  },
  apply: (kind, namespace, body, manager, force) => objects.patch(
    spec(kind, namespace, body), undefined, undefined, manager, force, k8s.PatchStrategy.ServerSideApply,
  ),
  set_status: (kind, namespace, name, status) => (kind === 'crontabs'
    ? custom.patchNamespacedCustomObjectStatus({ ...CRONTABS, namespace, name, body: { status } }, MERGE)
    : apps.patchNamespacedDeploymentStatus({ namespace, name, body: { status } }, MERGE)),
  scale: async (kind, namespace, name, replicas) => {
    const body = { spec: { replicas } };
    if (kind === 'crontabs') {
      await custom.patchNamespacedCustomObjectScale({ ...CRONTABS, namespace, name, body }, MERGE);
      return (await custom.getNamespacedCustomObjectScale({ ...CRONTABS, namespace, name })).spec.replicas;
    }
    await apps.patchNamespacedDeploymentScale({ namespace, name, body }, MERGE);
    return (await apps.readNamespacedDeploymentScale({ namespace, name })).spec.replicas;
  },
  evict: async (namespace, name) => {
    await core.createNamespacedPodEviction({ namespace, name, body: { metadata: { name } } });
  },
  token: async (namespace, name) => {
    const body = { spec: { audiences: [], expirationSeconds: 86_400 } };
    return (await core.createNamespacedServiceAccountToken({ namespace, name, body })).status.token;
  },
  whoami: async (token) => {
    const own = new k8s.KubeConfig();
    own.loadFromClusterAndUser(config.getCurrentCluster(), { name: 'bearer', token });
    const made = await own.makeApiClient(k8s.AuthenticationV1Api).createSelfSubjectReview({ body: {} });
    return made.status.userInfo.username;
  },
  logs: (namespace, name) => core.readNamespacedPodLog({ namespace, name }),
  execute: (namespace, pod, command) => executed(namespace, pod, command, null),
  converse: async (namespace, pod, command, line) => (await executed(namespace, pod, command, Readable.from([line])))[0],
  forward: async (namespace, pod, port, request) => {
    const out = gathered();
    const input = new PassThrough();
    const socket = await new k8s.PortForward(config).portForward(namespace, pod, [port], out.stream, null, input);
    input.write(Buffer.from(request, 'base64'));
    await until(socket);
    return out.bytes().toString('base64');
  },
};

const STREAMS = {
  watch: (item, held, kind, namespace, since) => watching(kind, namespace, since, {}, item, held),
  watch_ended: (item, held, kind, namespace, since, seconds) =>
    watching(kind, namespace, since, { timeoutSeconds: seconds }, item, held),
  follow: (item, held, namespace, pod) => new Promise((done, fail) => {
    const out = new PassThrough();
    createInterface({ input: out }).on('line', item).on('close', done);
    new k8s.Log(config).log(namespace, pod, 'main', out, { follow: true })
      .then((controller) => { held.stop = () => controller.abort(); }, fail);
  }),
  attach: async (item, held, namespace, pod) => {
    const out = sink((chunk) => item(chunk.toString()));
    const socket = await new k8s.Attach(config).attach(namespace, pod, 'main', out, null, null, false);
    held.stop = () => socket.close();
    await until(socket);
  },
};

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const open = new Map();

function refused(error) {
  if (typeof error.code !== 'number') return { code: 0, status: { message: String(error.stack ?? error) } };
  const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
  return { code: error.code, status: body ?? {} };
}

async function answer({ id, verb, args }) {
  try {
    if (verb in STREAMS) {
      const held = { stop: () => {} };
      open.set(id, held);
      await STREAMS[verb]((value) => say({ id, item: value }), held, ...args);
      open.delete(id);
      say({ id, end: true });
    } else {
      say({ id, value: (await VERBS[verb](...args)) ?? null });
    }
  } catch (error) {
    say({ id, refused: refused(error) });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const call = JSON.parse(line);
    if ('cancel' in call) open.get(call.cancel)?.stop();
    else void answer(call);
  })
  .on('close', () => process.exit(0));
