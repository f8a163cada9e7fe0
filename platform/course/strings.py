"""The strings that the browser's scripts show, by bundle.

The page carries them as inert JSON (`{% js_strings %}`), `t("key")` in static/src/ts/lib/i18n.ts reads them.
`{name}` is filled in by the script. A test compares this table with the keys that the scripts use.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_APP: dict[str, str | Promise] = {
    "code.copy": _("Copy"),
    "code.copied": _("Copied"),
    "code.copy_failed": _("Select and copy by hand"),
    "code.run": _("Run in terminal"),
    "code.open": _("Open in editor"),
}

_WORKSPACE: dict[str, str | Promise] = {
    "http.offline": _("The server cannot be reached. Check your connection and try again."),
    "http.failed": _("The server answered with error {status}. Try again in a moment."),
    # the run
    "state.requested": _("Waiting for a berth"),
    "state.booting": _("Booting"),
    "state.ready": _("Running"),
    "state.passed": _("Passed"),
    "state.stopped": _("Stopped"),
    "state.failed": _("Failed"),
    "cover.requested": _("Finding a berth for your cluster…"),
    "cover.booting": _("Your cluster is booting…"),
    "cover.stopped": _("You have stopped this lab."),
    "cover.failed": _("The cluster could not go on."),
    "cover.again": _("Start again"),
    "reset.title": _("Reset the lab?"),
    "reset.text": _("Cluster and files go back to the beginning. What you have scored so far is kept."),
    "reset.do": _("Reset"),
    "stop.title": _("Stop the lab?"),
    "stop.text": _("The cluster is taken down. What you have scored so far is kept."),
    "stop.do": _("Stop"),
    # terminal
    "terminal.title": _("Terminal"),
    "terminal.label": _("Terminal. Press F6 to leave it."),
    "terminal.help": _("F6: next pane"),
    "terminal.reader": _("Screen reader mode"),
    "terminal.connecting": _("Connecting…"),
    "terminal.connected": _("Connected"),
    "terminal.reconnecting": _("Connection lost, trying again…"),
    "terminal.closed": _("Not connected"),
    "terminal.asleep": _("Paused while this tab is hidden"),
    "terminal.again": _("Try now"),
    # checks
    "checks.running": _("Checking…"),
    "checks.none": _("not checked yet"),
    "checks.passed": _("passed"),
    "checks.failed": _("not yet"),
    "checks.error": _("could not be checked"),
    "checks.hint": _("Hint"),
    "checks.score": _("{score} of {max} points"),
    "checks.summary": _("{passed} of {total} checks pass."),
    # editor
    "editor.files": _("Files"),
    "editor.new": _("New file"),
    "editor.name": _("Name of the new file"),
    "editor.empty": _("No files yet. Make one with the plus sign, or open one from the instructions."),
    "editor.save": _("Save"),
    "editor.apply": _("Apply"),
    "editor.applying": _("Applying…"),
    "editor.output": _("What kubectl said"),
    "editor.ok": _("applied"),
    "editor.exit": _("exit code {code}"),
    "editor.label": _("Editor for {path}. Press F6 to leave it."),
    "editor.dirty": _("{path}, not saved"),
    "editor.tab": _("YAML is indented with spaces; this is a tab."),
    "editor.conflict": _("{path} was also changed in the terminal. Saving will overwrite that."),
    # cluster map
    "map.view": _("Show by"),
    "map.nodes": _("Nodes"),
    "map.workloads": _("Workloads"),
    "map.table": _("Table"),
    "map.namespace": _("Namespace"),
    "map.all": _("All namespaces"),
    "map.count": _("{pods} Pods on {nodes} nodes"),
    "map.broken": _("The map has lost the cluster and is trying again."),
    "map.legend": _("Legend"),
    "map.look_running": _("Running"),
    "map.look_unready": _("Not ready"),
    "map.look_pending": _("Pending"),
    "map.look_failed": _("In trouble"),
    "map.look_done": _("Completed"),
    "map.look_leaving": _("Terminating"),
    "map.pod": _(
        "Pod {name}, namespace {namespace}: {status}, {ready} containers ready, {restarts} restarts"
    ),
    "map.pods_n": _("{n} Pods"),
    "map.ready_n": _("{ready}/{total} ready"),
    "map.revision": _("revision {revision}"),
    "map.unscheduled": _("Not scheduled"),
    "map.control_plane": _("control plane"),
    "map.not_ready": _("not ready"),
    "map.cordoned": _("cordoned"),
    "map.rest": _("Other Pods"),
    "map.details": _("Pod details"),
    "map.close": _("Close the details"),
    "map.node": _("Node"),
    "map.ready": _("Ready"),
    "map.status": _("Status"),
    "map.restarts": _("Restarts"),
    "map.owner": _("Owned by"),
    "map.labels": _("Labels"),
    "map.containers": _("Containers"),
    "map.conditions": _("Conditions"),
    "map.none": _("none"),
    "map.pod_head": _("Pod"),
    "map.table_caption": _("The Pods shown on the map"),
}

JS_STRINGS: dict[str, dict[str, str | Promise]] = {"app": _APP, "workspace": _WORKSPACE}
