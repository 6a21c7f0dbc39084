"""A form made from a list of field descriptions: labels, inputs, and an error below each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from providers.sanitize import safe_text

Value = str | bool
MISSING = "This is needed."


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `value` is a bool for a checkbox, else text; `options` are label and value."""

    id: str
    title: str
    kind: Literal["text", "password", "select", "checkbox"] = "text"
    value: Value = ""
    help: str = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()


def missing(fields: Iterable[Field], values: Mapping[str, Value]) -> dict[str, str]:
    """Error texts for the required fields that are empty, by id."""
    return {
        field.id: MISSING
        for field in fields
        if field.required and not str(values.get(field.id, "")).strip()
    }


class Form(VerticalScroll):
    """Posts `Submitted` when every required field is filled, `Cancelled` on escape.

    The message with the values shows none of them in its repr: there may be a token among them.
    """

    DEFAULT_CSS = """
    Form {
        background: $background;
        padding: 0 1;
        .form--label { height: 1; width: 1fr; text-style: bold; }
        .form--help { height: auto; width: 1fr; color: $text-muted; }
        .form--error { height: auto; width: 1fr; display: none; }
        .form--error.-shown { display: block; color: $text-error; text-style: bold; }
        .form--field { height: auto; width: 1fr; margin: 0 0 1 0; }
        .form--buttons { height: 1; margin: 0; }
        .form--buttons Button { margin: 0 2 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Save", id="form.submit"),
        Binding("escape", "cancel", "Cancel", id="form.cancel"),
    ]

    class Submitted(Message):
        """All values by field id."""

        def __init__(self, values: dict[str, Value]) -> None:
            super().__init__()
            self.values = values

    class Cancelled(Message):
        """The form was left."""

    class Changed(Message):
        """A select or a checkbox has another value."""

        def __init__(self, field_id: str, value: Value) -> None:
            super().__init__()
            self.field_id, self.value = field_id, value

    def __init__(
        self, fields: Sequence[Field], *, submit: str = "Save", id: str | None = None
    ) -> None:
        super().__init__(id=id, can_focus=False)
        self._fields = tuple(fields)
        self._submit = submit

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._fields

    async def set_fields(self, fields: Sequence[Field]) -> None:
        """Show other fields; those that stay, and are of the same kind, keep what was typed."""
        kinds = {field.id: field.kind for field in fields}
        values = self.values
        typed = {old.id: values[old.id] for old in self._fields if kinds.get(old.id) == old.kind}
        self._fields = tuple(
            replace(field, value=typed[field.id]) if field.id in typed else field
            for field in fields
        )
        await self.recompose()

    @property
    def values(self) -> dict[str, Value]:
        """What stands in the fields now, texts without blanks around them."""
        return {field.id: self._value(field) for field in self._fields}

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """Show an error below each field that is named, none below the others."""
        for field in self._fields:
            line = self.query_one(f"#error-{field.id}", Static)
            text = errors.get(field.id, "")
            line.update(Content(safe_text(text, 300)))
            line.set_class(bool(text), "-shown")
        first = next((field for field in self._fields if field.id in errors), None)
        if first is not None:
            self._control(first).focus()

    def compose(self) -> ComposeResult:
        for field in self._fields:
            with Widget(classes="form--field"):
                if field.kind != "checkbox":
                    title = field.title + ("" if field.required else " (optional)")
                    yield Static(Content(safe_text(title)), classes="form--label")
                yield _control(field)
                if field.help:
                    yield Static(Content(safe_text(field.help)), classes="form--help")
                yield Static(Content(""), id=f"error-{field.id}", classes="form--error")
        with Horizontal(classes="form--buttons"):
            yield Button(Content(safe_text(self._submit)), id="form-submit", compact=True)
            yield Button("Cancel", id="form-cancel", compact=True)

    def _control(self, field: Field) -> Widget:
        return self.query_one(f"#field-{field.id}")

    def _value(self, field: Field) -> Value:
        control = self._control(field)
        if isinstance(control, Checkbox):
            return control.value
        if isinstance(control, Select):
            return str(control.value)
        assert isinstance(control, Input)
        return control.value.strip()

    def action_submit(self) -> None:
        values = self.values
        errors = missing(self._fields, values)
        self.set_errors(errors)
        if not errors:
            self.post_message(self.Submitted(values))

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled())

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, and from the last one it submits."""
        event.stop()
        inputs = [f"field-{field.id}" for field in self._fields if field.kind != "checkbox"]
        if event.input.id == inputs[-1]:
            self.action_submit()
        else:
            self.screen.focus_next()

    @on(Select.Changed)
    def _select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(_field_id(event.select), str(event.value)))

    @on(Checkbox.Changed)
    def _checkbox_changed(self, event: Checkbox.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(_field_id(event.checkbox), event.value))

    @on(Button.Pressed)
    def _button(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "form-submit":
            self.action_submit()
        else:
            self.action_cancel()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.scroll_to_widget(event.widget, animate=False)


def _field_id(control: Widget) -> str:
    return (control.id or "").removeprefix("field-")


def _control(field: Field) -> Widget:
    """The Textual widget for a field. Texts go in as `Content`: never as markup."""
    control_id = f"field-{field.id}"
    if field.kind == "checkbox":
        return Checkbox(
            Content(safe_text(field.title)), bool(field.value), id=control_id, compact=True
        )
    if field.kind == "select":
        options = [(Content(safe_text(label)), value) for label, value in field.options]
        values = [value for _, value in field.options]
        chosen = field.value if field.value in values else values[0]
        return Select(options, value=chosen, allow_blank=False, id=control_id, compact=True)
    control = Input(
        safe_text(field.value), password=field.kind == "password", id=control_id, compact=True
    )
    control.cursor_blink = False  # a blinking cursor sends bytes for ever
    return control
