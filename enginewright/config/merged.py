"""Rules for a network that is an extractor and its matcher in one graph."""

from __future__ import annotations

from collections.abc import Mapping

from enginewright.config.choices import MatcherOutput
from enginewright.config.models import ExtractorModel, MatcherModel, MergedModel
from enginewright.config.network import NetworkConfig
from enginewright.errors import ConfigError


def check_merged(name: str, network: NetworkConfig, networks: Mapping[str, NetworkConfig]) -> None:
    """Refuse parts that are not there, are of other kinds, do not feed one another, or have other batches.

    Raises:
        ConfigError: naming the key and what it should be.
    """
    model = network.model
    if not isinstance(model, MergedModel):
        return
    extractor, matcher = networks[network.extractor], networks.get(model.matcher)
    if matcher is None:
        raise ConfigError(
            f"networks.{name}.model.matcher names a network that this run does not build",
            expected=sorted(networks),
            got=model.matcher,
            cure=f"add {model.matcher or 'the matcher'} to the networks of the run",
        )
    _check_kinds(name, network.extractor, extractor, model.matcher, matcher)
    _check_opset(name, network.extractor, extractor, model.matcher, matcher)
    _check_form(name, network, {network.extractor: extractor, model.matcher: matcher})
    if model.batch != matcher.model.batch:
        raise ConfigError(
            f"networks.{name} and its matcher {model.matcher} disagree on the pairs of a call",
            expected=f"model.batch={matcher.model.batch}",
            got=model.batch,
            cure=f"set networks.{name}.model.batch={matcher.model.batch}",
        )
    if network.export.dynamic:
        raise ConfigError(
            f"networks.{name} is a merged graph, which is static",
            expected=f"networks.{name}.export.dynamic=false",
            got=True,
            cure=f"set networks.{name}.export.dynamic=false, or leave {name} out of this run",
        )


def _check_kinds(name: str, first: str, extractor: NetworkConfig, second: str, matcher: NetworkConfig) -> None:
    found = f"{first}: {extractor.model.kind.name}, {second}: {matcher.model.kind.name}"
    if not isinstance(extractor.model, ExtractorModel) or not isinstance(matcher.model, MatcherModel):
        raise ConfigError(f"networks.{name} merges other kinds", expected="an extractor and a matcher", got=found)
    if matcher.extractor != first:
        raise ConfigError(
            f"networks.{name} merges a matcher with an extractor that does not feed it",
            expected=f"extractor: {matcher.extractor}",
            got=first,
            cure=f"set networks.{name}.extractor={matcher.extractor}",
        )
    if matcher.model.output is not MatcherOutput.matches:
        raise ConfigError(
            f"networks.{name} needs a matcher that ends in matches",
            expected=f"networks.{second}.model.output=matches",
            got=matcher.model.output.name,
        )
    if extractor.model.batch != 2 * matcher.model.batch:
        raise ConfigError(
            f"networks.{name} needs both images of each pair in one call of {first}",
            expected=f"networks.{first}.model.batch={2 * matcher.model.batch}: twice the pairs of {second}",
            got=extractor.model.batch,
            cure=f"set networks.{first}.model.batch={2 * matcher.model.batch}",
        )


def _check_form(name: str, network: NetworkConfig, parts: Mapping[str, NetworkConfig]) -> None:
    """Refuse a form that the parts do not have: the cast stage goes by that of the merged network."""
    for part, config in parts.items():
        if config.model.layernorms and config.swap.form is not network.swap.form:
            raise ConfigError(
                f"networks.{name} and its part {part} disagree on the LayerNorm form, which is that of the part",
                expected=f"networks.{name}.swap.form={config.swap.form.name}",
                got=network.swap.form.name,
                cure=f"set networks.{name}.swap.form={config.swap.form.name}",
            )


def _check_opset(name: str, first: str, extractor: NetworkConfig, second: str, matcher: NetworkConfig) -> None:
    if extractor.export.opset != matcher.export.opset:
        raise ConfigError(
            f"networks.{name} merges graphs of two opsets",
            expected=f"networks.{second}.export.opset={extractor.export.opset}",
            got=matcher.export.opset,
            cure=f"one export.opset for {first} and {second}",
        )
