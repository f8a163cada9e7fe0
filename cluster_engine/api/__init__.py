"""The kinds that the cluster serves, one file each.

A kind is one file and one line in KINDS. A kind without the behaviour that makes it more than a record (its
controller) is not listed.
"""

from cluster_engine.apimachinery.scheme import Kind

from .admissionregistration.v1 import (
    mutatingadmissionpolicy,
    mutatingadmissionpolicybinding,
    mutatingwebhookconfiguration,
    validatingadmissionpolicy,
    validatingadmissionpolicybinding,
    validatingwebhookconfiguration,
)
from .apiextensions.v1 import customresourcedefinition
from .apiregistration.v1 import apiservice
from .apps.v1 import controllerrevision, daemonset, deployment, replicaset, statefulset
from .authentication.v1 import selfsubjectreview, tokenreview
from .authorization.v1 import (
    localsubjectaccessreview,
    selfsubjectaccessreview,
    selfsubjectrulesreview,
    subjectaccessreview,
)
from .autoscaling.v2 import horizontalpodautoscaler
from .batch.v1 import cronjob, job
from .certificates.v1 import certificatesigningrequest, clustertrustbundle, podcertificaterequest
from .coordination.v1 import lease
from .core.v1 import (
    binding,
    componentstatus,
    configmap,
    endpoints,
    event,
    limitrange,
    namespace,
    persistentvolume,
    persistentvolumeclaim,
    pod,
    podtemplate,
    replicationcontroller,
    resourcequota,
    secret,
    service,
    serviceaccount,
)
from .core.v1 import (
    node as core_node,
)
from .discovery.v1 import endpointslice
from .flowcontrol.v1 import flowschema, prioritylevelconfiguration
from .networking.v1 import ingress, ingressclass, ipaddress, networkpolicy, servicecidr
from .node.v1 import runtimeclass
from .policy.v1 import poddisruptionbudget
from .rbac.v1 import clusterrole, clusterrolebinding, role, rolebinding
from .resource.v1 import deviceclass, devicetaintrule, resourceclaim, resourceclaimtemplate, resourceslice
from .scheduling.v1 import priorityclass
from .storage.v1 import (
    csidriver,
    csinode,
    csistoragecapacity,
    storageclass,
    volumeattachment,
    volumeattributesclass,
)
from .storagemigration.v1 import storageversionmigration

KINDS: tuple[Kind, ...] = (
    binding.KIND,
    componentstatus.KIND,
    configmap.KIND,
    endpoints.KIND,
    event.KIND,
    limitrange.KIND,
    namespace.KIND,
    core_node.KIND,
    persistentvolume.KIND,
    persistentvolumeclaim.KIND,
    pod.KIND,
    podtemplate.KIND,
    replicationcontroller.KIND,
    resourcequota.KIND,
    secret.KIND,
    serviceaccount.KIND,
    service.KIND,
    apiservice.KIND,
    controllerrevision.KIND,
    daemonset.KIND,
    deployment.KIND,
    replicaset.KIND,
    statefulset.KIND,
    selfsubjectreview.KIND,
    tokenreview.KIND,
    localsubjectaccessreview.KIND,
    selfsubjectaccessreview.KIND,
    selfsubjectrulesreview.KIND,
    subjectaccessreview.KIND,
    horizontalpodautoscaler.KIND,
    cronjob.KIND,
    job.KIND,
    certificatesigningrequest.KIND,
    clustertrustbundle.KIND,
    podcertificaterequest.KIND,
    lease.KIND,
    endpointslice.KIND,
    flowschema.KIND,
    prioritylevelconfiguration.KIND,
    ingress.KIND,
    ingressclass.KIND,
    ipaddress.KIND,
    networkpolicy.KIND,
    servicecidr.KIND,
    runtimeclass.KIND,
    poddisruptionbudget.KIND,
    clusterrole.KIND,
    clusterrolebinding.KIND,
    role.KIND,
    rolebinding.KIND,
    deviceclass.KIND,
    devicetaintrule.KIND,
    resourceclaim.KIND,
    resourceclaimtemplate.KIND,
    resourceslice.KIND,
    priorityclass.KIND,
    csidriver.KIND,
    csinode.KIND,
    csistoragecapacity.KIND,
    storageclass.KIND,
    volumeattachment.KIND,
    volumeattributesclass.KIND,
    storageversionmigration.KIND,
    customresourcedefinition.KIND,
    mutatingadmissionpolicy.KIND,
    mutatingadmissionpolicybinding.KIND,
    mutatingwebhookconfiguration.KIND,
    validatingadmissionpolicy.KIND,
    validatingadmissionpolicybinding.KIND,
    validatingwebhookconfiguration.KIND,
)

__all__ = ["KINDS"]
