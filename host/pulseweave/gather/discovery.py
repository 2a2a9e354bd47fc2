"""What Home Assistant is told of a node and of the room: its MQTT device discovery (one message a device, retained).

https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import msgspec

from pulseweave import __version__
from pulseweave.firmware import Firmware

encode = msgspec.json.Encoder().encode
ORIGIN = {"name": "pulseweave", "sw_version": __version__}


def _sensor(of: str, key: str, name: str, unit: str | None = "%", **more) -> dict:
    return {
        "platform": "sensor",
        "unique_id": f"{of}_{key}",
        "name": name,
        "value_template": f"{{{{ value_json.{key} }}}}",
        **({"unit_of_measurement": unit, "state_class": "measurement"} if unit else {}),
        **more,
    }


def _message(
    of: str, device: dict, components: dict, state_topic: str, available: list[str]
) -> tuple[str, bytes]:
    body = {
        "device": {"identifiers": [of], "manufacturer": "Pulseweave", **device},
        "origin": ORIGIN,
        "components": components,
        "state_topic": state_topic,
        "availability": [{"topic": t} for t in available],
        "availability_mode": "all",
        "qos": 1,
    }
    return f"homeassistant/device/{of}/config", encode(body)


def device(site: str, node: int, name: str, runs: Firmware | None = None) -> tuple[str, bytes]:
    """(topic, payload) of a node; `runs` what it said of its firmware, once it has."""
    of, base = f"pulseweave_{site}_{node}", f"pulseweave/{site}"
    components = {
        "touched": {
            "platform": "binary_sensor",
            "unique_id": f"{of}_touched",
            "name": "Touched",
            "device_class": "occupancy",
            "value_template": "{{ value_json.touched }}",
        },
        "arousal": _sensor(of, "arousal", "Arousal"),
        "confidence": _sensor(of, "confidence", "Confidence", entity_category="diagnostic"),
        "damping": _sensor(of, "damping", "Damping"),
        "health": _sensor(of, "health", "Health", None, entity_category="diagnostic"),
    }
    about = {"name": f"Strand {name}", "model": "thread node", "via_device": f"pulseweave_{site}_room"}
    if runs:
        about["model"] = runs.board or about["model"]
        if runs.release:
            about["sw_version"] = runs.release
    return _message(
        of, about, components, f"{base}/node/{node}", [f"{base}/available", f"{base}/node/{node}/available"]
    )


def room_device(site: str) -> tuple[str, bytes]:
    """(topic, payload) of the whole room."""
    of, base = f"pulseweave_{site}_room", f"pulseweave/{site}"  # "_room": site a_2 is not node 2 of site a
    components = {
        "arousal": _sensor(of, "arousal", "Arousal"),
        "damping": _sensor(of, "damping", "Damping"),
        "visitors": _sensor(of, "visitors", "Visitors", "people"),
        "nodes": _sensor(of, "nodes", "Strands", "strands", entity_category="diagnostic"),
    }
    return _message(
        of,
        {"name": f"Room {site}", "model": "room", "sw_version": __version__},
        components,
        f"{base}/room",
        [f"{base}/available"],
    )
