"""The sample device plugin of Kubernetes' tests: it announces two devices that are none.

Models test/images/sample-device-plugin/sampledeviceplugin.go. What it announces its node's kubelet takes from
``Image.devices`` (``kubelet/devices.py``); the program says what the real one does, and ends where that one does.
"""

from __future__ import annotations

from cluster_engine.container_runtime.http import klog, say
from cluster_engine.container_runtime.image import PATH, Image, Variant, tags
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.sim import SECOND

FOLDER = "/var/lib/kubelet/device-plugins"
KUBELET_SOCKET = f"{FOLDER}/kubelet.sock"
"""At which a kubelet hears of plugins, who find it through a hostPath volume."""


def _start(sys: Sys) -> State:
    folder, cdi = sys.env.get("PLUGIN_SOCK_DIR") or f"{FOLDER}/", sys.env.get("CDI_ENABLED", "")
    told = (
        f'sampledeviceplugin.go:108] "Determined configuration" CDI_ENABLED="{cdi}" pluginSocksDir="{folder}"'
    )
    say(sys, [klog(sys, told)])
    if sys.env.get("REGISTER_CONTROL_FILE"):
        sys.err(
            "REGISTER_CONTROL_FILE: Drydock's sample-device-plugin registers at once (a real one waits)\n"
        )
        sys.exit(1)
    socket = f"{folder}/dp.{sys.now // SECOND}"
    try:
        sys.fs.write(socket, "")
    except FileError as error:
        sys.err(f"panic: listen unix {socket}: bind: {error.reason.lower()}\n\ngoroutine 1 [running]:\n")
        sys.exit(2)
    if not sys.fs.exists(KUBELET_SOCKET):
        sys.err("panic: context deadline exceeded\n\ngoroutine 1 [running]:\n")
        sys.exit(2)
    lines = (
        f'stub.go:149] "Starting to serve on socket" socket="{socket}"',
        'stub.go:258] "Deprecation file not found. Invoke registration"',
        'stub.go:314] "ListAndWatch"',
    )
    say(sys, [klog(sys, line) for line in lines])
    return {}


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", _]:
            return _start(sys)
        case ["signal", name]:
            words = {"TERM": "terminated", "INT": "interrupt", "QUIT": "quit", "HUP": "hangup"}
            told = f'sampledeviceplugin.go:187] "Shutting down, received signal" signal="{words.get(name, name)}"'
            say(sys, [klog(sys, told)])
            sys.exit(0)
    return state


def _programs(variant: Variant) -> dict[str, Program]:
    return {"/sampledeviceplugin": Program("sampledeviceplugin", on=_on)}


IMAGE = Image(
    repository="registry.k8s.io/e2e-test-images/sample-device-plugin",
    variants={**tags(17_000_000, "1.8", "1.8", "1.7", "1.3")},
    entrypoint=("/sampledeviceplugin",),
    env={"PATH": PATH},
    programs=_programs,
    devices={"example.com/resource": ("Dev-1", "Dev-2")},
)
