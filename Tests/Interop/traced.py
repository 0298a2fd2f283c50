# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0
"""The Python peer, traced by OpenTelemetry's instrumentation of Celery as its users have it.

Environment: SPANS, a file that gets a line of JSON for each span that has ended; else as in peer.py. Run it with `-P solo`: the
instrumentation is then in the process that runs the tasks.
"""

import json
import os

from opentelemetry import trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from peer import app, task


class FileExporter(SpanExporter):
    def export(self, spans):
        with open(os.environ["SPANS"], "a") as file:
            for span in spans:
                entry = {
                    "name": span.name,
                    "trace": f"{span.context.trace_id:032x}",
                    "span": f"{span.context.span_id:016x}",
                    "parent": f"{span.parent.span_id:016x}" if span.parent else None,
                    "kind": span.kind.name,
                }
                file.write(json.dumps(entry) + "\n")
        return SpanExportResult.SUCCESS


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(FileExporter()))
trace.set_tracer_provider(provider)
CeleryInstrumentor().instrument()


@task
def pass_on(name, queue, args):
    """Sends a task to a queue, and returns its id."""
    return app.send_task(name, args=args, queue=queue).id
