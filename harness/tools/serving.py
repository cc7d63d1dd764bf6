"""Tools offered to other agents over the Model Context Protocol (MCP).

Which pictures can be looked at is fixed when the server starts. A call names one of them; there is no argument for a path
or an address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.errors import missing_extra
from harness.core.tool import VALID, Call, Observation, Toolbox
from harness.version import __version__

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

PICTURE = "picture"
"""The argument that names the picture, where there are several."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One call, for the log."""

    picture: str
    """Empty where the call named none that is offered."""
    tool: str
    arguments: Mapping[str, Any]
    seen: Observation

    @property
    def line(self) -> str:
        """As one line of JSON."""
        told = {
            "picture": self.picture,
            "tool": self.tool,
            "arguments": dict(self.arguments),
            "status": self.seen.status,
            "pictures": len(self.seen.pictures),
            **({"donor": self.seen.donor} if self.seen.donor else {}),
        }
        return json.dumps(told, ensure_ascii=True, default=str)


@dataclass(frozen=True, slots=True)
class OfferedPictures:
    """Toolboxes by the name of their picture, all with the same tools."""

    boxes: Mapping[str, Toolbox]
    side: int = 448
    """Longer side of pictures that are shown, in pixels."""
    on_call: Callable[[Answered], None] = field(default=lambda answered: None)

    @property
    def names(self) -> tuple[str, ...]:
        """The pictures that a call may name."""
        return tuple(self.boxes)

    def tools(self) -> list[dict[str, Any]]:
        """Name, description and JSON schema of each tool, the argument `picture` among them where there are several."""
        first = next(iter(self.boxes.values()))
        return [{**one, "arguments": self._schema(one["arguments"])} for one in first.offered]

    def _schema(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        schema = {"type": "object", "properties": {}, **arguments, "additionalProperties": False}
        if len(self.boxes) > 1:
            named = {"type": "string", "enum": list(self.names), "description": "which picture"}
            schema["properties"] = {PICTURE: named, **schema["properties"]}
            schema["required"] = [PICTURE, *schema.get("required", ())]
        return schema

    def call(self, name: str, arguments: Mapping[str, Any]) -> Observation:
        """What comes of a call, which is logged. Raises HarnessError where a tool is broken."""
        given = dict(arguments)
        picture = next(iter(self.boxes)) if len(self.boxes) == 1 else given.pop(PICTURE, None)
        if not isinstance(picture, str) or picture not in self.boxes:
            text = f"{PICTURE}: name one of {', '.join(self.names)}."
            seen = Observation(text, status="bad-arguments")
            picture, given = "", dict(arguments)
        else:
            seen = self.boxes[picture].use(Call(name, given), side=self.side)
        self.on_call(Answered(picture, name[:40], given, seen))
        return seen


def mcp_server(offered: OfferedPictures) -> Server[Any]:
    """A server of these tools. Raises HarnessError where the package `mcp` is not installed."""
    try:
        import mcp_types as types
        from mcp.server.lowlevel import Server
    except ImportError as error:
        raise missing_extra("mcp", "mcp") from error
    import asyncio
    from binascii import b2a_base64

    tools = [
        types.Tool(name=one["name"], description=one["description"], input_schema=one["arguments"])
        for one in offered.tools()
    ]

    async def on_list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def on_call_tool(context: Any, params: Any) -> types.CallToolResult:
        seen = await asyncio.to_thread(offered.call, params.name, params.arguments or {})
        content: list[Any] = [types.TextContent(text=seen.text)]
        for picture in seen.pictures:
            data = b2a_base64(picture.data, newline=False).decode("ascii")
            content.append(types.ImageContent(data=data, mime_type=picture.mime))
        return types.CallToolResult(content=content, is_error=seen.status not in VALID)

    several = (
        f" Name one as `{PICTURE}`: {', '.join(offered.names)}." if len(offered.names) > 1 else ""
    )
    return Server(
        "affect-harness",
        version=__version__,
        instructions=f"Tools to look at {len(offered.names)} picture(s) or clip(s) of faces again.{several}",
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )


async def serve_stdio(offered: OfferedPictures) -> None:
    """Serve on standard input and output until the client closes them. Raises HarnessError as `mcp_server` does."""
    server = mcp_server(offered)
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
