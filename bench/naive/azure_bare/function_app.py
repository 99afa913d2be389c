"""A function that does nothing: what the worker and its library cost."""

import azure.functions as func

app = func.FunctionApp()


@app.event_grid_trigger(arg_name="event")
def retrain_receive(event: func.EventGridEvent) -> None:
    """Read the event."""
    event.get_json()
