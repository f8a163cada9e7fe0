"""KubeSchedulerConfiguration, kubescheduler.config.k8s.io/v1: read, completed, checked, and made to profiles.

Models pkg/scheduler/apis/config and cmd/kube-scheduler/app/options.
"""

from cluster_engine.kube_scheduler.config.load import SchedulerConfig, loaded
from cluster_engine.kube_scheduler.config.schema import ConfigError

__all__ = ["ConfigError", "SchedulerConfig", "loaded"]
