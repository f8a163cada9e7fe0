"""The fields of a KubeSchedulerConfiguration, and its text made to data, strictly.

Models k8s.io/kube-scheduler/config/v1 and cmd/kube-scheduler/app/options/configfile.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery import decode, yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.schema import Field, List, Node, OpenStruct, Scalar, Struct, struct_named

API_VERSION = "kubescheduler.config.k8s.io/v1"
KIND = "KubeSchedulerConfiguration"
_SCHEME = "pkg/scheduler/apis/config/scheme/scheme.go:30"


class ConfigError(ValueError):
    """A configuration with which kube-scheduler does not start; str() says why, in its words."""


def _struct(kind: str, /, **fields: Node) -> Struct:
    return OpenStruct(f"v1.{kind}", {each: Field(each, node, 0, "*o", {}) for each, node in fields.items()})


_TEXT, _BOOL, _INT32, _INT64 = Scalar("string"), Scalar("bool"), Scalar("int32"), Scalar("int64")
_DURATION, _RAW = Scalar("duration"), Scalar("raw")

_PLUGIN = _struct("Plugin", name=_TEXT, weight=_INT32)
_SET = _struct("PluginSet", enabled=List(_PLUGIN), disabled=List(_PLUGIN))
_PLUGINS = _struct(
    "Plugins",
    preEnqueue=_SET, queueSort=_SET, preFilter=_SET, filter=_SET, postFilter=_SET, preScore=_SET, score=_SET,
    reserve=_SET, permit=_SET, preBind=_SET, bind=_SET, postBind=_SET, multiPoint=_SET,
)  # fmt: skip
_PROFILE = _struct(
    "KubeSchedulerProfile",
    schedulerName=_TEXT,
    percentageOfNodesToScore=_INT32,
    plugins=_PLUGINS,
    pluginConfig=List(_struct("PluginConfig", name=_TEXT, args=_RAW)),
)
_ELECTION = _struct(
    "LeaderElectionConfiguration",
    leaderElect=_BOOL, leaseDuration=_DURATION, renewDeadline=_DURATION, retryPeriod=_DURATION,
    resourceLock=_TEXT, resourceName=_TEXT, resourceNamespace=_TEXT,
)  # fmt: skip
_CONNECTION = _struct(
    "ClientConnectionConfiguration",
    kubeconfig=_TEXT, acceptContentTypes=_TEXT, contentType=_TEXT, qps=Scalar("float64"), burst=_INT32,
)  # fmt: skip
_CONFIGURATION = _struct(
    KIND,
    apiVersion=_TEXT, kind=_TEXT, parallelism=_INT32, leaderElection=_ELECTION, clientConnection=_CONNECTION,
    enableProfiling=_BOOL, enableContentionProfiling=_BOOL, percentageOfNodesToScore=_INT32,
    podInitialBackoffSeconds=_INT64, podMaxBackoffSeconds=_INT64, profiles=List(_PROFILE),
    extenders=List(_RAW), delayCacheUntilActive=_BOOL,
)  # fmt: skip

_RESOURCES = List(_struct("ResourceSpec", name=_TEXT, weight=_INT64))
_SHAPE = List(_struct("UtilizationShapePoint", utilization=_INT32, score=_INT32))
_STRATEGY = _struct(
    "ScoringStrategy",
    type=_TEXT,
    resources=_RESOURCES,
    requestedToCapacityRatio=_struct("RequestedToCapacityRatioParam", shape=_SHAPE),
)


def _args(name: str, **fields: Node) -> Struct:
    return _struct(f"{name}Args", apiVersion=_TEXT, kind=_TEXT, **fields)


ARGS: dict[str, Struct] = {
    "DefaultPreemption": _args(
        "DefaultPreemption", minCandidateNodesPercentage=_INT32, minCandidateNodesAbsolute=_INT32
    ),
    "InterPodAffinity": _args(
        "InterPodAffinity", hardPodAffinityWeight=_INT32, ignorePreferredTermsOfExistingPods=_BOOL
    ),
    "NodeAffinity": _args("NodeAffinity", addedAffinity=struct_named("core.v1.NodeAffinity")),
    "NodeResourcesBalancedAllocation": _args("NodeResourcesBalancedAllocation", resources=_RESOURCES),
    "NodeResourcesFit": _args(
        "NodeResourcesFit",
        ignoredResources=List(_TEXT),
        ignoredResourceGroups=List(_TEXT),
        scoringStrategy=_STRATEGY,
    ),
    "PodTopologySpread": _args(
        "PodTopologySpread",
        defaultConstraints=List(struct_named("core.v1.TopologySpreadConstraint")),
        defaultingType=_TEXT,
    ),
    "VolumeBinding": _args("VolumeBinding", bindTimeoutSeconds=_INT64, shape=_SHAPE),
}
"""The arguments of the plugins that have any, by the plugin's name."""


def read(text: str) -> JSON:
    """The configuration as it is written, the arguments of its plugins read too. Raises ConfigError."""
    try:
        document = yaml.load(text)
    except yaml.YamlError as problem:
        raise ConfigError(str(problem)) from problem
    if not isinstance(document, dict):
        raise ConfigError("couldn't get version/kind; json parse error: the configuration is no object")
    version, kind = document.get("apiVersion") or "", document.get("kind") or ""
    if not kind:
        raise ConfigError("Object 'Kind' is missing in the configuration")
    if (version, kind) != (API_VERSION, KIND):
        raise ConfigError(f'no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"')
    config = _strictly(_CONFIGURATION, document)
    wrong: list[str] = []
    profiles = []
    for index, profile in enumerate(config.get("profiles") or ()):
        configs = []
        for place, item in enumerate(profile.get("pluginConfig") or ()):
            try:
                configs.append(_with_args(item))
            except ConfigError as problem:
                wrong.append(f"decoding .profiles[{index}].pluginConfig[{place}]: {problem}")
        profiles.append({**profile, "pluginConfig": configs})
    if wrong:
        raise ConfigError(f"strict decoding error: {', '.join(wrong)}")
    return {**config, "profiles": profiles}


def _with_args(item: JSON) -> JSON:
    name, args = item.get("name") or "", item.get("args") or {}
    node = ARGS.get(name)
    if node is None:
        return item
    given = args.get("kind") or f"{name}Args"
    if given != f"{name}Args":
        group = API_VERSION.partition("/")[0]
        raise ConfigError(f"args for plugin {name} were not of type {name}Args.{group}, got {given}.{group}")
    try:
        return {"name": name, "args": _strictly(node, args)}
    except ConfigError as problem:
        raise ConfigError(f"decoding args for plugin {name}: {problem}") from problem


def _strictly(node: Struct, document: JSON) -> JSON:
    try:
        decoded = decode.decode_as(node, document)
    except decode.DecodeError as problem:
        raise ConfigError(str(problem)) from problem
    if decoded.unknown:
        raise ConfigError(decode.strict_message(decoded.unknown))
    return decoded.obj


def together(problems: Sequence[object]) -> str:
    """Several errors as one (utilerrors.Aggregate)."""
    texts = list(dict.fromkeys(map(str, problems)))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
