"""Fan-out, the shared poller, reconciliation and events; knows only `reelpub.providers.base`."""
